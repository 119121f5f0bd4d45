// SPDX-License-Identifier: Apache-2.0
#include "mail/dsn.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "mail/xtext.h"

namespace todoku {
namespace {

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
  const auto utf8 = parse_orcpt("utf-8;届く+2B@example.jp", true);
  ASSERT_TRUE(utf8);
  EXPECT_EQ(utf8->address, "届く+@example.jp");
  EXPECT_EQ(parse_orcpt(utf8->to_string(), false), utf8) << "escaped it needs no SMTPUTF8";
}

TEST(Dsn, TheOriginalRecipientCannotWriteAReport) {
  for (const std::string_view bad :
       {"", ";", "rfc822", "rfc822;", ";a", "rf c;a", "rfc822;a+0D+0ATo:+20x", "rfc822;a+00",
        "rfc822;+E5+B1+8A", "utf-8;+C2+85", "utf-8;+FF", "utf-8;届"}) {
    EXPECT_FALSE(parse_orcpt(bad, false)) << bad;
  }
  EXPECT_FALSE(parse_orcpt("rfc822;届", true));
  EXPECT_FALSE(parse_orcpt("utf-8;\xFF", true));
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
