// SPDX-License-Identifier: Apache-2.0
#include "mail/dsn.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"
#include "mail/xtext.h"

namespace todoku {
namespace {

std::string kanji(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "届";
  return out;
}

TEST(Xtext, SaysAnyOctetAndBack) {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  EXPECT_EQ(from_xtext(to_xtext(all)), all);
  EXPECT_EQ(to_xtext("a+b=c d@example.jp"), "a+2Bb+3Dc+20d@example.jp");
  EXPECT_EQ(from_xtext("a+2bc"), "a+c");
}

TEST(Xtext, RefusesWhatItIsNot) {
  for (const std::string_view bad :
       {"+", "+2", "+2G", "a=b", "a b", "a\r", "a\x80", "+ 2", "++2B"}) {
    EXPECT_FALSE(from_xtext(bad)) << bad;
  }
}

TEST(Dsn, NotifyIsASetOfWordsOrNever) {
  EXPECT_EQ(DsnNotify::parse("delay,FAILURE")->to_string(), "FAILURE,DELAY");
  EXPECT_EQ(DsnNotify::parse("SUCCESS,FAILURE,DELAY")->to_string(), "SUCCESS,FAILURE,DELAY");
  EXPECT_EQ(DsnNotify::parse("never")->bits, DsnNotify::kNever);
  for (const std::string_view bad : {"", ",", "DELAY,", ",DELAY", "NEVER,DELAY", "DELAY,NEVER",
                                     "DELAY,DELAY", "ALWAYS", "DELAY, FAILURE"}) {
    EXPECT_FALSE(DsnNotify::parse(bad)) << bad;
  }
}

TEST(Dsn, WhoAsksForNothingHearsOfFailures) {
  EXPECT_TRUE(DsnNotify{}.on_failure());
  EXPECT_FALSE(DsnNotify{}.on_success());
  EXPECT_FALSE(DsnNotify{}.on_delay());
  EXPECT_FALSE(DsnNotify::parse("NEVER")->on_failure());
  EXPECT_FALSE(DsnNotify::parse("SUCCESS")->on_failure());
  EXPECT_TRUE(DsnNotify::parse("SUCCESS")->on_success());
}

TEST(Dsn, TheOriginalRecipientIsShownAsItWas) {
  const auto plain = parse_orcpt("rfc822;a+2Bb@example.jp", false);
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, (OriginalRecipient{"rfc822", "a+b@example.jp"}));
  EXPECT_EQ(plain->to_string(), "rfc822;a+2Bb@example.jp");
}

// RFC 6533 section 3.
TEST(Dsn, AnOriginalRecipientBeyondAsciiHasAFormOfItsOwn) {
  const auto raw = parse_orcpt(R"(utf-8;届く\x{2B}é@example.jp)", true);
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->address, "届く+é@example.jp");
  EXPECT_EQ(raw->to_string(), R"(utf-8;届く\x{2B}é@example.jp)");
  EXPECT_EQ(raw->to_ascii(), R"(utf-8;\x{5C4A}\x{304F}\x{2B}\x{E9}@example.jp)");
  EXPECT_EQ(parse_orcpt(*raw->to_ascii(), false), raw) << "without SMTPUTF8";
  EXPECT_EQ(parse_orcpt(R"(UTF-8;\x{5c4a}\x{304f}\x{2b}\x{e9}@example.jp)", true)->address,
            raw->address);
  EXPECT_EQ(
      parse_orcpt(R"(utf-8;\x{10FFFD}\x{1F642}\x{FFFD}\x{7FF}\x{A0}\x{5C}\x{3D}\x{20})", false)
          ->address,
      "\xF4\x8F\xBF\xBD🙂\xEF\xBF\xBD\xDF\xBF\xC2\xA0\\= ");
  for (const std::string_view bad :
       {R"(\)",          R"(\x)",          R"(\x{)",        R"(\x{})",     R"(\x{E9)",
        R"(\x{E})",      R"(\x{0E9})",     R"(\x{0000E9})", R"(\x{E9 })",  R"(\x{+E9})",
        R"(\x{0xE9})",   R"(\X{E9})",      R"(\u{E9})",     R"(\x{41})",   R"(\x{0A})",
        R"(\x{7F})",     R"(\x{80})",      R"(\x{9F})",     R"(\x{D800})", R"(\x{DFFF})",
        R"(\x{110000})", R"(\x{1000000})", "a+2Bb",         "a+b",         "a=b",
        "a b",           "+C3+A9"}) {
    EXPECT_FALSE(parse_orcpt("utf-8;" + std::string(bad), true)) << bad;
  }
}

TEST(Dsn, WhateverTheDoorTookReadsBack) {
  constexpr std::array<std::string_view, 18> kPieces = {
      "a",         "@",           "\"",           "届",
      "é",         "🙂",          R"(\x{E9})",    R"(\x{2B})",
      R"(\x{5C})", R"(\x{5C4A})", R"(\x{1F642})", R"(\x{20})",
      R"(\x{3d})", "+2B",         "+20",          "+41",
      "\xFF",      "\xC2\x85"};
  SeededRandom random(6533);
  int taken = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string text = random.below(2) == 0 ? "utf-8;" : "rfc822;";
    // Of few kinds, so that some are long and still taken.
    const std::size_t begin = random.below(kPieces.size());
    const std::size_t kinds = 1 + random.below(3);
    for (std::uint64_t i = random.below(200); i > 0; --i) {
      text += kPieces[(begin + random.below(kinds)) % kPieces.size()];
    }
    const auto read = parse_orcpt(text, true);
    if (!read) continue;
    ++taken;
    ASSERT_LE(read->to_string().size(), text.size());
    ASSERT_EQ(parse_orcpt(read->to_string(), true), read) << text;
    const auto ascii = read->to_ascii();
    if (ascii) {
      ASSERT_EQ(parse_orcpt(*ascii, false), read) << text;
    } else {
      ASSERT_FALSE(is_ascii(read->address)) << text;
    }
  }
  EXPECT_GT(taken, 5'000);
  const auto longest = parse_orcpt("utf-8;" + kanji(164) + "aa", true);
  ASSERT_TRUE(longest) << "500 octets";
  EXPECT_EQ(parse_orcpt(longest->to_string(), true), longest);
  EXPECT_FALSE(longest->to_ascii()) << "1,320 octets";
}

TEST(Dsn, TheOriginalRecipientCannotWriteAReport) {
  for (const std::string_view bad :
       {"", ";", "rfc822", "rfc822;", ";a", "rf c;a", "rfc822;a+0D+0ATo:+20x", "rfc822;a+00",
        "rfc822;+E5+B1+8A", "utf-8;\\x{85}", "utf-8;\xFF", "utf-8;届"}) {
    EXPECT_FALSE(parse_orcpt(bad, false)) << bad;
  }
  EXPECT_FALSE(parse_orcpt("rfc822;届", true));
  EXPECT_FALSE(parse_orcpt("utf-8;\xFF", true));
  EXPECT_FALSE(parse_orcpt("utf-8;\xC2\x85", true));
  EXPECT_TRUE(parse_orcpt("rfc822;" + std::string(kOrcptOctetsMax - 7, 'x'), false));
  EXPECT_FALSE(parse_orcpt("rfc822;" + std::string(kOrcptOctetsMax - 6, 'x'), false));
}

TEST(Dsn, EnvelopesHaveNamesThatCanBeShown) {
  EXPECT_EQ(parse_envid("QQ+2B314+20x"), "QQ+314 x");
  EXPECT_FALSE(parse_envid(""));
  EXPECT_FALSE(parse_envid("+0A"));
  EXPECT_FALSE(parse_envid("+E5+B1+8A"));
  EXPECT_TRUE(parse_envid(std::string(kEnvidOctetsMax, 'x')));
  EXPECT_FALSE(parse_envid(std::string(kEnvidOctetsMax + 1, 'x')));
}

TEST(Dsn, WhatComesBackIsAWord) {
  EXPECT_EQ(parse_dsn_return("hdrs"), DsnReturn::hdrs);
  EXPECT_EQ(parse_dsn_return("FULL"), DsnReturn::full);
  EXPECT_FALSE(parse_dsn_return(""));
  EXPECT_FALSE(parse_dsn_return("HEADERS"));
  EXPECT_EQ(to_string(DsnReturn::hdrs), "HDRS");
}

}  // namespace
}  // namespace todoku
