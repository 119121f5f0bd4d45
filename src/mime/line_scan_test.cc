// SPDX-License-Identifier: Apache-2.0
#include "mime/line_scan.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::mime {
namespace {

using namespace std::string_view_literals;

struct Looked {
  LineScan lines;
  std::string trouble;
};

Looked looked_at(std::string_view octets, std::size_t at_once) {
  Looked looked;
  for (std::size_t at = 0; at < octets.size() && looked.trouble.empty(); at += at_once) {
    const auto sound = looked.lines.update(octets.substr(at, at_once));
    if (!sound) looked.trouble = sound.error().detail;
  }
  if (looked.trouble.empty() && !looked.lines.finish()) looked.trouble = "cut";
  return looked;
}

TEST(LineScan, RefusesWhatIsNoLineEndWhereverItIsCut) {
  constexpr std::string_view kLine = "has a line that does not end with CR LF";
  const std::pair<std::string_view, std::string_view> cases[] = {{"a\r\nb\r\n", ""},
                                                                 {"a\nb\r\n", kLine},
                                                                 {"a\rb\r\n", kLine},
                                                                 {"a\r\r\n", kLine},
                                                                 {"\n", kLine},
                                                                 {"a\r", "cut"},
                                                                 {"a\r\n.\n.\r\n"sv, kLine},
                                                                 {"a\0b\nc\r\n"sv, "has a NUL"},
                                                                 {"a\nb\0\r\n"sv, kLine},
                                                                 {"\r\0\r\n"sv, kLine},
                                                                 {"", ""}};
  for (const auto& [octets, trouble] : cases) {
    for (std::size_t at_once = 1; at_once <= 6; ++at_once) {
      EXPECT_EQ(looked_at(octets, at_once).trouble, trouble) << octets << " by " << at_once;
    }
  }
}

TEST(LineScan, KnowsItsLines) {
  const std::string at_limit = std::string(998, 'x') + "\r\n";
  for (std::size_t at_once = 1; at_once <= 6; ++at_once) {
    EXPECT_TRUE(looked_at("a\r\n.b\r\n", at_once).lines.has_leading_dot());
    EXPECT_TRUE(looked_at(".", at_once).lines.has_leading_dot());
    EXPECT_FALSE(looked_at("a.\r\n b.\r\n", at_once).lines.has_leading_dot());
    EXPECT_FALSE(looked_at(at_limit + at_limit, at_once).lines.has_long_line());
    EXPECT_TRUE(looked_at("x" + at_limit, at_once).lines.has_long_line());
    EXPECT_FALSE(looked_at("a\r\n", at_once).lines.is_eight_bit());
    EXPECT_TRUE(looked_at("a\xE3\r\n", at_once).lines.is_eight_bit());
    EXPECT_TRUE(looked_at("a\r\n", at_once).lines.is_at_line_start());
    EXPECT_FALSE(looked_at("a\r\nb", at_once).lines.is_at_line_start());
    EXPECT_EQ(looked_at(at_limit, at_once).lines.octets(), at_limit.size());
  }
}

}  // namespace
}  // namespace todoku::mime
