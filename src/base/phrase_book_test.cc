// SPDX-License-Identifier: Apache-2.0
#include "base/phrase_book.h"

#include <array>

#include <gtest/gtest.h>

namespace todoku {
namespace {

constexpr std::array kBook{
    Phrase{"the DNS does not answer", "DNS が応答しません"},
    Phrase{"{} cannot be asked: {}", "{0} を引けません（{1}）"},
    Phrase{"no answer for {} within {} ms", "{1} ミリ秒以内に {0} の応答がありません"},
    Phrase{"{} does not exist", "{0} は存在しません"},
};

std::string japanese_of(std::string_view said) {
  return in_japanese_by(kBook, said).value_or("not known");
}

TEST(PhraseBook, SaysASentenceWithWhatStandsInIt) {
  EXPECT_EQ(japanese_of("the DNS does not answer"), "DNS が応答しません");
  EXPECT_EQ(japanese_of("no answer for a.jp within 20 ms"),
            "20 ミリ秒以内に a.jp の応答がありません");
  EXPECT_EQ(japanese_of("TXT a.jp cannot be asked: the DNS does not answer"),
            "TXT a.jp を引けません（DNS が応答しません）");
  EXPECT_EQ(japanese_of("TXT a.jp cannot be asked: SERVFAIL"), "TXT a.jp を引けません（SERVFAIL）");
}

TEST(PhraseBook, SaysPartsByThemselves) {
  EXPECT_EQ(japanese_of("include:b.jp: b.jp does not exist"), "include:b.jp: b.jp は存在しません");
  EXPECT_EQ(japanese_of("a.jp does not exist; b.jp does not exist"),
            "a.jp は存在しません; b.jp は存在しません");
  EXPECT_EQ(japanese_of("TXT a.jp cannot be asked: x; TXT b.jp cannot be asked: y"),
            "TXT a.jp を引けません（x）; TXT b.jp を引けません（y）");
  EXPECT_EQ(japanese_of("something else: the DNS does not answer"),
            "something else: DNS が応答しません");
}

TEST(PhraseBook, WhatIsNotKnownIsSaidToBeSo) {
  EXPECT_FALSE(in_japanese_by(kBook, ""));
  EXPECT_FALSE(in_japanese_by(kBook, " does not exist")) << "nothing is in its place";
  EXPECT_FALSE(in_japanese_by(kBook, "no answer for a.jp"));
  EXPECT_FALSE(in_japanese_by(kBook, "v=DKIM1; k=rsa; p=AAAA: something"));
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "a: ";
  EXPECT_FALSE(in_japanese_by(kBook, deep));
}

}  // namespace
}  // namespace todoku
