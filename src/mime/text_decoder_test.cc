// SPDX-License-Identifier: Apache-2.0
#include "mime/text_decoder.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::mime {
namespace {

std::string decoded(TextEncoding encoding, std::string_view octets, std::size_t slice) {
  TextDecoder decoder(encoding);
  std::string text;
  for (; !octets.empty(); octets.remove_prefix(std::min(slice, octets.size()))) {
    text += decoder.decode(octets.substr(0, slice));
  }
  text += decoder.finish();
  return text;
}

void expect(TextEncoding encoding, std::string_view octets, std::string_view text) {
  for (const std::size_t slice : {1UL, 2UL, 3UL, 7UL, 4096UL}) {
    EXPECT_EQ(decoded(encoding, octets, slice), text) << slice;
  }
}

TEST(TextDecoder, ReadsWindowsCodePage932InAnySlices) {
  // 髙 (FB FC), ① (87 40), half-width ｱ (B1), 表 whose trail octet is a backslash.
  expect(TextEncoding::shift_jis, "a\xFB\xFC,\x87\x40\xB1\n\x95\x5C", "a髙,①ｱ\n表");
  expect(TextEncoding::shift_jis, "~\\", "~\\");
}

TEST(TextDecoder, ReadsUtf16OfBothOrdersWithPairs) {
  using namespace std::string_view_literals;
  expect(TextEncoding::utf_16le, "\xFF\xFE\x42\x30\x42\xD8\xB7\xDF,\0"sv, "\xEF\xBB\xBFあ𠮷,");
  expect(TextEncoding::utf_16be, "\x30\x42\xD8\x42\xDF\xB7\0,"sv, "あ𠮷,");
}

TEST(TextDecoder, WhatHasNoMeaningBecomesTheReplacementCharacter) {
  using namespace std::string_view_literals;
  expect(TextEncoding::utf_16le, "a\0b"sv, "a\uFFFD");         // half a unit at the end
  expect(TextEncoding::utf_16be, "\xD8\x42\0a"sv, "\uFFFDa");  // half a pair
  expect(TextEncoding::utf_16be, "\0a\xD8\x42"sv, "a\uFFFD");  // and at the end
  expect(TextEncoding::shift_jis, "a\xFF"sv, "a\uFFFD");       // no octet of it
  expect(TextEncoding::shift_jis, "a\x82\nb,\x82,\n"sv, "a\uFFFD\nb,\uFFFD,\n");
  EXPECT_NE(decoded(TextEncoding::shift_jis, "a\x82"sv, 8), "a");           // half a character
  expect(TextEncoding::utf_8, "a\xFF\xE3\x81\x82"sv, "a\xFF\xE3\x81\x82");  // as it is
}

}  // namespace
}  // namespace todoku::mime
