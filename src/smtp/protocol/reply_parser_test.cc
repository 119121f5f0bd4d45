// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/reply_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::smtp {
namespace {

// All replies in `octets`, fed in pieces of `step` octets. Ends at the first error.
std::vector<Reply> parse(std::string_view octets, std::size_t step, Error* error = nullptr) {
  ReplyParser parser;
  std::vector<Reply> replies;
  while (!octets.empty()) {
    std::string_view piece = octets.substr(0, step);
    octets.remove_prefix(piece.size());
    while (!piece.empty()) {
      const auto whole = parser.take(piece);
      if (!whole) {
        if (error != nullptr) *error = whole.error();
        return replies;
      }
      if (*whole) replies.push_back(parser.reply());
    }
  }
  return replies;
}

std::vector<Reply> parse(std::string_view octets) {
  return parse(octets, octets.size());
}

TEST(ReplyParser, ReadsSingleAndMultiLineReplies) {
  const auto replies = parse(
      "220 mx.example.jp ESMTP\r\n250-mx.example.jp\r\n250-SIZE 1000\r\n"
      "250 CHUNKING\r\n354\r\n");
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(replies[0], (Reply{220, "mx.example.jp ESMTP"}));
  EXPECT_EQ(replies[1], (Reply{250, "mx.example.jp\nSIZE 1000\nCHUNKING"}));
  EXPECT_EQ(replies[2], (Reply{354, ""}));
}

TEST(ReplyParser, GivesTheSameForAnySplit) {
  const std::string octets =
      "550-5.1.1 no such user\r\n550 5.1.1 see https://example.jp/x\r\n250-\r\n250-\r\n250 ok\n"
      "421 4.7.0 bye\r\n";
  const auto whole = parse(octets);
  ASSERT_EQ(whole.size(), 3U);
  EXPECT_EQ(whole[0].text, "5.1.1 no such user\n5.1.1 see https://example.jp/x");
  EXPECT_EQ(whole[1].text, "\n\nok");
  for (std::size_t step = 1; step < octets.size(); ++step) EXPECT_EQ(parse(octets, step), whole);
}

TEST(ReplyParser, ToleratesWhatServersDo) {
  EXPECT_EQ(parse("250 bare line feed\n")[0].text, "bare line feed");
  EXPECT_EQ(parse("250-\n250\n")[0], (Reply{250, "\n"}));
  EXPECT_EQ(parse("250-a\r\n550 b\r\n")[0], (Reply{550, "a\nb"}));
  EXPECT_EQ(parse("299 odd code\r\n")[0].code, 299);
  const std::string long_line(5'000, 'x');
  EXPECT_EQ(parse("550 " + long_line + "\r\n")[0].text, long_line);
  std::string many;
  for (int i = 0; i < 500; ++i) many += "550-line\r\n";
  EXPECT_EQ(parse(many + "550 last\r\n").size(), 1U);
}

TEST(ReplyParser, MakesTextPrintable) {
  EXPECT_EQ(parse("550 a\tb\x01\x7f\x1b[31m\r\r\n")[0].text,
            "a b??"
            "?[31m?");
  EXPECT_EQ(parse("550 \xe5\xb1\x8a\xe3\x81\x8f\r\n")[0].text, "\xe5\xb1\x8a\xe3\x81\x8f");
  EXPECT_EQ(parse("550 caf\xe9\r\n")[0].text, "caf?");
  EXPECT_EQ(parse(std::string_view("550 a\0b\r\n", 9))[0].text, "a?b");
}

TEST(ReplyParser, RefusesWhatIsNoReply) {
  for (const char* octets :
       {"\r\n", "\n", "25\r\n", "2x0 ok\r\n", "199 early\r\n", "650 late\r\n", "250_ok\r\n",
        "HTTP/1.1 400 Bad Request\r\n", "250-first\r\nsecond\r\n", " 250 ok\r\n", "2500 ok\r\n",
        "\x16\x03\x01\x02\x01\x01\n"}) {
    for (const std::size_t step : {1UL, 1'000UL}) {
      Error error{};
      EXPECT_TRUE(parse(octets, step, &error).empty()) << octets;
      EXPECT_EQ(error.kind, ErrorKind::corrupt) << octets;
    }
  }
}

TEST(ReplyParser, RefusesAReplyWithoutEnd) {
  Error error{};
  EXPECT_TRUE(parse(std::string(70'000, '2'), 1'000, &error).empty());
  EXPECT_EQ(error.kind, ErrorKind::limit_exceeded);
  std::string endless;
  for (int i = 0; i < 10'000; ++i) endless += "250-again\r\n";
  EXPECT_TRUE(parse(endless, 777, &error).empty());
  EXPECT_EQ(error.kind, ErrorKind::limit_exceeded);
}

}  // namespace
}  // namespace todoku::smtp
