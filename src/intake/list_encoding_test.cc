// SPDX-License-Identifier: Apache-2.0
#include "intake/list_encoding.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

using namespace std::string_view_literals;

std::string guess(std::string_view octets, std::size_t slice) {
  ListEncodingGuess guess;
  for (; !octets.empty(); octets.remove_prefix(std::min(slice, octets.size()))) {
    guess.push(octets.substr(0, slice));
  }
  const ListEncoding found = guess.finish();
  return fmt::format("{} by {}", to_string(found.encoding), to_string(found.by));
}

void expect(std::string_view octets, std::string_view found) {
  for (const std::size_t slice : {1UL, 2UL, 3UL, 5UL, 1'000'000UL}) {
    EXPECT_EQ(guess(octets, slice), found) << slice;
  }
}

constexpr std::string_view kTaroInShiftJis = "\x91\xBE\x98\x59";

TEST(ListEncoding, AMarkDecides) {
  expect(
      "\xEF\xBB\xBF"
      "email\n\x91\xBE",
      "utf_8 by mark");
  expect(
      "\xFF\xFE"
      "e\0"sv,
      "utf_16le by mark");
  expect("\xFE\xFF\0e"sv, "utf_16be by mark");
  expect("\xFF\xFE"sv, "utf_16le by mark");
}

TEST(ListEncoding, ANulBesideTheFirstCharacterIsUtf16) {
  expect("e\0m\0a\0"sv, "utf_16le by octets");
  expect("\0e\0m\0a"sv, "utf_16be by octets");
}

TEST(ListEncoding, WithoutOtherOctetsItIsAscii) {
  expect("", "utf_8 by ascii");
  expect("a", "utf_8 by ascii");
  expect("email,__a__\na@example.jp,x\n", "utf_8 by ascii");
}

TEST(ListEncoding, ReadsJapaneseOfBothKinds) {
  expect("email,__a__\na@example.jp,太郎\n", "utf_8 by octets");
  expect(fmt::format("email,__a__\na@example.jp,{}\n", kTaroInShiftJis), "shift_jis by octets");
  expect("email,__a__\na@example.jp,\xD4\xCF\xC0\xDE \xBA\xB3\xBC\n",  // half-width katakana
         "shift_jis by octets");
  expect("email,__a__\na@example.jp,\xFB\xFC\x8B\xB4\n", "shift_jis by octets");  // Microsoft's 髙
}

TEST(ListEncoding, ABrokenRowDoesNotTurnTheOthersIntoSomethingElse) {
  expect(fmt::format("email,__a__\na@example.jp,太郎\nb@example.jp,{}\n", "\xE5\x90"),
         "utf_8 by octets");
  expect(fmt::format("a,{0}{0}{0}{0}\nb,\xFF\n", kTaroInShiftJis), "shift_jis by octets");
  expect("a,\xE5\x80\xA4\nb,\xE5\x80\xA4\nc,\xE5\x80\n", "utf_8 by octets");
}

TEST(ListEncoding, WhatIsNoneOfThemStaysToBeToldRowByRow) {
  expect("email,__a__\na@example.jp,\xC2\xC0\xCF\xBA\n", "utf_8 by octets");  // EUC-JP
  expect("\xFF\xFF\xFF\xFD\x80", "utf_8 by octets");
}

TEST(ListEncoding, EucJpStaysItWithABrokenRow) {
  // "山田太郎", "東京都渋谷区", and a row that is cut within a character.
  constexpr std::string_view kTaro = "\xBB\xB3\xC5\xC4\xC2\xC0\xCF\xBA";
  constexpr std::string_view kShibuya = "\xC5\xEC\xB5\xFE\xC5\xD4\xBD\xC2\xC3\xAB\xB6\xE8";
  expect(fmt::format("email,__a__\na@example.jp,{}\nb@example.jp,{}\nc@example.jp,\xC5\n", kTaro,
                     kShibuya),
         "utf_8 by octets");
  // Half-width katakana, each second word of an odd length.
  expect("a,\xD4\xCF\xC0\xDE\nb,\xBD\xBD\xDE\xB7\xB2\nc,\xBB\xC4\xB3\nd,\xBA\xB3\xBC\n",
         "shift_jis by octets");
  // Kanji whose octets are EUC-JP's in part.
  expect(fmt::format("a,{0}\nb,{0}\nc,\xE0\xE0\xE0\xE0\n", kTaroInShiftJis), "shift_jis by octets");
}

TEST(ListEncoding, LettersOfWesternEuropeAreNoJapanese) {
  for (const std::string_view word : {"M\xFCller", "Fran\xE7ois", "\xC9mile", "Se\xF1or", "it\x92s",
                                      "N\xFA\xF1"
                                      "ez"}) {
    expect(fmt::format("email,__a__\na@example.jp,{}\n", word), "utf_8 by octets");
    expect(fmt::format("email,__name__\nlong.address@example.jp,{}, and so on\n", word),
           "utf_8 by octets");
  }
  expect(fmt::format("a,A\x8E\xD0\nb,{}\nc,\x92\x6A\n", kTaroInShiftJis),  // A社, 太郎, 男
         "shift_jis by octets");
}

TEST(ListEncoding, TheFirstOctetThatIsNoAsciiMayBeFarAway) {
  std::string list = "email,__a__\n";
  for (int i = 0; i < 900'000; ++i) list += "r@example.jp,x\n";
  EXPECT_EQ(guess(list + std::string(kTaroInShiftJis), 65'536), "shift_jis by octets");
  EXPECT_EQ(guess(list + "太郎", 65'536), "utf_8 by octets");
  EXPECT_EQ(guess(list, 65'536), "utf_8 by ascii");
}

TEST(ListEncoding, NothingIsReadOnAfterAMark) {
  ListEncodingGuess guess;
  guess.push("\xEF\xBB");
  EXPECT_FALSE(guess.decided());
  guess.push("\xBF");
  EXPECT_TRUE(guess.decided());
}

}  // namespace
}  // namespace todoku::intake
