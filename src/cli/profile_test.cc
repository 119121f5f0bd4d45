// SPDX-License-Identifier: Apache-2.0
#include "cli/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/api_client.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;

TEST(Profiles, AreReadAsTheyAreWritten) {
  const Profiles all = {{"default", {.url = "https://a.example", .account = "shop", .key = "k"}},
                        {"x-1", {.account = "a\"b\\c\n\x7f", .ca = "/c.pem"}}};
  const auto read = parse_profiles(print_profiles(all));
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(*read, all);
}

TEST(Profiles, TellWhatIsWrong) {
  for (const auto& [text, words] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"[a]\nkye = \"k\"\n", "line 2: a profile has url"},
           {"[a]\nkey = 1\n", "line 2: key must be a text"},
           {"key = \"k\"\n", "line 1: a profile is a table"},
           {"[\"a b\"]\n", "line 1: a profile is a table"},
           {"[a\n", "line 1: "},
           {"\xff", "UTF-8"}}) {
    const auto read = parse_profiles(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_THAT(read.error().detail, HasSubstr(std::string(words)));
  }
}

TEST(ApiUrl, IsWithoutWhatFollows) {
  EXPECT_EQ(*api_url(" https://mail.example.jp/ "), "https://mail.example.jp");
  EXPECT_EQ(*api_url("http://[::1]:8025/api/v1/"), "http://[::1]:8025");
  EXPECT_EQ(*api_url("https://example.jp/mail//"), "https://example.jp/mail");
  for (const std::string_view wrong :
       {"mail.example.jp", "ftp://example.jp", "https://", "https:///api/v1",
        "https://a:b@example.jp", "https://example.jp/?a=b"}) {
    EXPECT_FALSE(api_url(wrong).has_value()) << wrong;
  }
}

TEST(ApiUrl, OfThisMachineOrEncryptedIsPrivate) {
  for (const std::string_view own :
       {"https://mail.example.jp", "http://localhost:1", "http://127.0.0.9", "http://[::1]:8025"}) {
    EXPECT_TRUE(is_private_url(own)) << own;
  }
  for (const std::string_view other : {"http://mail.example.jp", "http://127.example.jp",
                                       "http://192.0.2.1", "http://localhost.example.jp"}) {
    EXPECT_FALSE(is_private_url(other)) << other;
  }
}

}  // namespace
}  // namespace todoku::cli
