// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/server_dot_decoder.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::smtp {
namespace {

struct Decoded {
  std::string content;
  bool finished = false;
  std::string rest;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// `cut` octets a read; 0: all at once.
Decoded decode(std::string_view wire, std::size_t cut = 0) {
  DotDecoder decoder;
  Decoded decoded;
  while (!wire.empty() && !decoder.finished()) {
    const std::string_view whole = wire.substr(0, cut == 0 ? wire.size() : cut);
    std::string_view input = whole;
    while (!input.empty() && !decoder.finished()) decoded.content += decoder.next(input);
    wire.remove_prefix(whole.size() - input.size());
  }
  decoded.finished = decoder.finished();
  decoded.rest = wire;
  return decoded;
}

// The definition, octet by octet: RFC 5321 section 4.5.2.
Decoded decode_slowly(std::string_view wire) {
  Decoded decoded;
  bool line_start = true;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    if (line_start && wire[i] == '.') {
      if (wire.substr(i + 1, 2) == "\r\n") {
        decoded.finished = true;
        decoded.rest = wire.substr(i + 3);
        return decoded;
      }
      if (++i == wire.size()) return decoded;
      // Held back at the end of what is there, as the decoder must.
      if (wire.substr(i) == "\r") return decoded;
    }
    decoded.content += wire[i];
    line_start = i > 0 && wire[i] == '\n' && wire[i - 1] == '\r';
  }
  return decoded;
}

TEST(DotDecoder, RemovesTheSendersDotsAndEndsAtTheLoneOne) {
  EXPECT_EQ(decode("a\r\n..b\r\n.\r\nQUIT\r\n"), (Decoded{"a\r\n.b\r\n", true, "QUIT\r\n"}));
  EXPECT_EQ(decode(".\r\n"), (Decoded{"", true, ""}));
  EXPECT_EQ(decode("..\r\n.\r\n"), (Decoded{".\r\n", true, ""}));
  EXPECT_EQ(decode("a.b..c\r\n.\r\n"), (Decoded{"a.b..c\r\n", true, ""}));
  EXPECT_EQ(decode("\r\n\r\n.\r\n"), (Decoded{"\r\n\r\n", true, ""}));
}

TEST(DotDecoder, EndsAtNoFormThatSmugglersUse) {
  for (const std::string_view end :
       {"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\n.\r", "\r.\r\n", "\r\n\0.\r\n"}) {
    const Decoded decoded = decode("a" + std::string(end) + "MAIL FROM:<x@example.com>\r\n");
    EXPECT_FALSE(decoded.finished) << testing::PrintToString(std::string(end));
    EXPECT_TRUE(decoded.content.contains("MAIL FROM:<x@example.com>"));
  }
}

TEST(DotDecoder, KeepsBareLineEndsAsTheyCame) {
  EXPECT_EQ(decode("a\nb\rc\r\r\n.\r\n").content, "a\nb\rc\r\r\n");
  EXPECT_EQ(decode("a\r\n.\rb\r\n.\r\n").content, "a\r\n\rb\r\n");
  EXPECT_EQ(decode("a\r\n.\r\r\n.\r\n"), (Decoded{"a\r\n\r\r\n", true, ""}));
}

TEST(DotDecoder, AgreesWithTheDefinitionHoweverTheInputIsCut) {
  const std::uint64_t seed = 20'260'704;
  RecordProperty("seed", std::to_string(seed));
  SeededRandom random(seed);
  constexpr std::string_view alphabet = "\r\n..\r\na";
  for (int round = 0; round < 20'000; ++round) {
    std::string wire;
    const std::size_t size = 1 + random.below(24);
    while (wire.size() < size) {
      if (random.below(3) == 0) wire += "\r\n";
      wire += alphabet[random.below(alphabet.size())];
    }
    const Decoded expected = decode_slowly(wire);
    for (const std::size_t cut : {0U, 1U, 2U, 3U, 5U}) {
      ASSERT_EQ(decode(wire, cut), expected) << testing::PrintToString(wire) << " cut " << cut;
    }
  }
}

}  // namespace
}  // namespace todoku::smtp
