// SPDX-License-Identifier: Apache-2.0
#include "mime/encoded_words.h"

#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/foreign_text.h"
#include "mime/header.h"

namespace todoku::mime {
namespace {

std::string word(std::string_view charset, std::string_view octets) {
  return "=?" + std::string(charset) + "?B?" + to_base64(octets) + "?=";
}

TEST(EncodedWords, AreReadAsTheStandardsExamplesSay) {  // RFC 2047 section 8
  EXPECT_EQ(decode_header_text("=?ISO-8859-1?Q?a?="), "a");
  EXPECT_EQ(decode_header_text("=?ISO-8859-1?Q?a?= b"), "a b");
  EXPECT_EQ(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?="), "ab");
  EXPECT_EQ(decode_header_text("=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?="), "ab");
  EXPECT_EQ(decode_header_text("=?ISO-8859-1?Q?a_b?="), "a b");
  EXPECT_EQ(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?="), "a b");
  EXPECT_EQ(decode_header_text("=?iso-8859-1?q?Andr=E9?= Pirard"), "André Pirard");
  EXPECT_EQ(decode_header_text("=?US-ASCII*EN?Q?Keith_Moore?="), "Keith Moore");  // RFC 2231
}

TEST(EncodedWords, ReadWhatTheComposerWrites) {
  const std::string text = "ご注文の確認㈱髙島屋①〜 No. 12345: お届け予定日は四月一日です";
  for (const Encoding charset : {Encoding::utf_8, Encoding::iso_2022_jp}) {
    std::string field;
    ASSERT_TRUE(append_unstructured(field, "Subject", text, charset));
    const std::string decoded = decode_header_text(unfolded(std::string_view(field).substr(8)));
    // Windows' wave dash is the fullwidth tilde.
    std::string expected = text;
    if (charset == Encoding::iso_2022_jp) expected.replace(expected.find("〜"), 3, "～");
    EXPECT_EQ(decoded, expected);
  }
}

TEST(EncodedWords, JoinCharactersThatLieAcrossTheEdge) {
  const std::string text = "届く";
  EXPECT_EQ(
      decode_header_text(word("utf-8", text.substr(0, 2)) + " " + word("UTF-8", text.substr(2))),
      text);
  std::string jis;
  ASSERT_TRUE(append_iso_2022_jp(jis, text));
  EXPECT_EQ(decode_header_text(word("ISO-2022-JP", jis.substr(0, 4)) + " " +
                               word("iso-2022-jp", jis.substr(4))),
            text);
}

TEST(EncodedWords, AreTextWhereTheyAreNone) {
  for (const std::string_view text :
       {"=?", "=?utf-8?", "=?utf-8?b?", "=?utf-8?B?!!!!?=", "=?utf-8?Q?=ZZ?=", "=?utf-8?X?a?=",
        "=??Q?a?=", "=?*en?Q?a?=", "=?utf-8?Q?a b?=", "=?=?=?=?", "a = ?b"}) {
    EXPECT_EQ(decode_header_text(text), text);
  }
  EXPECT_EQ(decode_header_text("=??Q?a?= =?utf-8?Q?b?="), "=??Q?a?= b");
}

TEST(EncodedWords, ToleratePaddingThatIsNotThere) {
  EXPECT_EQ(decode_header_text("=?utf-8?B?YWI?="), "ab");
  EXPECT_EQ(decode_header_text("=?utf-8?B?YWJjZ?="), "abc");
}

TEST(EncodedWords, SayNothingMisleading) {
  EXPECT_EQ(decode_header_text(word("utf-8", "a\r\nBcc: b\x1B[31m")), "a Bcc: b[31m");
  EXPECT_EQ(decode_header_text(word("utf-8",
                                    "\xE2\x80\xAE"
                                    "gpj.exe")),
            "gpj.exe");
  EXPECT_EQ(decode_header_text("a\xFF"
                               "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_TRUE(is_utf8(decode_header_text(word("x-unknown", "a\xFF"))));
  EXPECT_EQ(decode_header_text(word("ISO_2022,locale=ja,version=0", "abc")), "abc");
}

TEST(EncodedWords, AreBounded) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += word("utf-8", "届") + " ";
  const std::string decoded = decode_header_text(text);
  EXPECT_EQ(decoded.size(), 996U);  // 332 whole characters
  EXPECT_TRUE(is_utf8(decoded));
  EXPECT_EQ(decode_header_text(std::string(5000, 'x')).size(), 998U);
  EXPECT_EQ(decode_header_text("abc届", 5), "abc");
}

TEST(ForeignText, ReadsJapaneseAsWindowsWritesIt) {
  const std::string text = "株式会社①㈱髙";
  std::string jis;
  ASSERT_TRUE(append_iso_2022_jp(jis, text));
  for (const std::string_view name : {"ISO-2022-JP", "cp50220", "csISO2022JP"}) {
    EXPECT_EQ(utf8_of(jis, name), text);
  }
  EXPECT_EQ(decode_header_text(jis), text);  // raw, from old programs
  EXPECT_EQ(utf8_of("\x1B(I\x31\x32\x33\x1B(B!", "iso-2022-jp"), "ｱｲｳ!");
  EXPECT_EQ(utf8_of("\x1B$@\x46\x7C\x1B(J", "iso-2022-jp"), "日");
  EXPECT_EQ(utf8_of("\x93\xFA\x96\x7B\x87\x40", "Shift_JIS"), "日本①");
  EXPECT_EQ(utf8_of("\xC6\xFC\xCB\xDC", "EUC-JP"), "日本");
  for (const std::string_view broken :
       {"\x1B$B\x46", "\x1B$B\x46\x1B(B", "\x1B", "\x1B$(D\x30\x21"}) {
    EXPECT_TRUE(is_utf8(utf8_of(broken, "iso-2022-jp"))) << broken;
  }
}

}  // namespace
}  // namespace todoku::mime
