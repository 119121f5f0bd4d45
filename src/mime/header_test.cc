// SPDX-License-Identifier: Apache-2.0
#include "mime/header.h"

#include <gtest/gtest.h>

#include "mime/test_reader.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

std::string subject(std::string_view text, Encoding charset = Encoding::utf_8) {
  std::string out;
  return append_unstructured(out, "Subject", text, charset) ? out : "cannot say it";
}

std::string mailbox(std::string_view name, Encoding charset = Encoding::utf_8) {
  std::string out;
  FoldedLine line(out, "From");
  if (!append_mailbox(line, name, "info@example.jp", charset)) return "cannot say it";
  line.finish();
  return out;
}

std::string to(std::string_view address) {
  std::string out;
  FoldedLine line(out, "To");
  append_address(line, address);
  line.finish();
  return out;
}

std::string unfolded(const std::string& field) {
  return test::read_entity(field + "\r\n").fields.at(0).value;
}

TEST(FieldName, IsWhatStandsBeforeTheColon) {
  EXPECT_EQ(field_name("Subject: a: b\r\n"), "Subject");
  EXPECT_EQ(field_name("X-~!:"), "X-~!");
  EXPECT_EQ(field_name("Bcc \t: a@example.jp"), "Bcc") << "obsolete, and hides nothing";
  for (const std::string_view line : {"", ":", " : x", " Bcc: x", "a b: x", "no colon",
                                      "From someone", "\xE5\xB1\x8A: x", "a\x7F: x"}) {
    EXPECT_EQ(field_name(line), "") << line;
  }
}

TEST(HeaderText, HasNoWayToEndAHeaderEarly) {
  EXPECT_EQ(header_text("a\r\nBcc: x@example.com"), "a Bcc: x@example.com");
  EXPECT_EQ(header_text("a\rb\nc\td\ve"), "a b c d e");
  EXPECT_EQ(header_text(std::string_view("a\0b\x1B\x7F"
                                         "c",
                                         6)),
            "abc");
  EXPECT_EQ(header_text("a\u0085b\u2028c\u009Bd"), "a b cd");
  EXPECT_EQ(header_text("\xC0\x80ok\xE3\x81"), "\uFFFD\uFFFDok\uFFFD\uFFFD");
}

TEST(Unstructured, AsciiStaysReadable) {
  EXPECT_EQ(subject("Your order 1234"), "Subject: Your order 1234\r\n");
  EXPECT_EQ(subject(""), "Subject:\r\n");
}

TEST(Unstructured, LongAsciiIsFoldedAtItsSpaces) {
  const std::string text =
      "one two three four five six seven eight nine ten eleven twelve thirteen "
      "fourteen fifteen sixteen";
  EXPECT_EQ(subject(text),
            "Subject: one two three four five six seven eight nine ten eleven twelve\r\n"
            " thirteen fourteen fifteen sixteen\r\n");
  EXPECT_EQ(unfolded(subject(text)), text);
}

TEST(Unstructured, WhatFoldingOrAReaderWouldChangeIsEncoded) {
  for (const std::string& text :
       {std::string(" leading"), std::string("trailing "), std::string(200, 'x'),
        std::string("=?UTF-8?B?44GC?="), std::string(50, 'x') + "  " + std::string(50, 'y')}) {
    EXPECT_TRUE(subject(text).starts_with("Subject: =?UTF-8?B?")) << text;
    EXPECT_EQ(test::read_words(unfolded(subject(text))), text);
    EXPECT_EQ(test::form_problem(subject(text), 76), "");
  }
}

TEST(Unstructured, JapaneseInUtf8SplitsNoCharacter) {
  std::string text;
  for (int i = 0; i < 85; ++i) text += "届😀é";
  const std::string field = subject(text);
  EXPECT_EQ(test::form_problem(field, 76), "");
  // read_words() refuses a word that is not UTF-8 by itself.
  EXPECT_EQ(test::read_words(unfolded(field)), text);
}

TEST(Unstructured, JapaneseInIso2022JpKeepsEveryWordInAsciiState) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "【重要】A①ｶﾞ";
  const std::string field = subject(text, Encoding::iso_2022_jp);
  EXPECT_EQ(test::form_problem(field, 76), "");
  std::string widened;
  for (int i = 0; i < 60; ++i) widened += "【重要】A①ガ";
  EXPECT_EQ(test::read_words(unfolded(field)), widened);
  EXPECT_EQ(subject("日本", Encoding::iso_2022_jp),
            "Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\r\n");
  EXPECT_EQ(subject("絵文字😀", Encoding::iso_2022_jp), "cannot say it");
}

TEST(Mailbox, WritesNamesInTheSimplestFormThatIsRight) {
  EXPECT_EQ(mailbox(""), "From: info@example.jp\r\n");
  EXPECT_EQ(mailbox("Example Shop"), "From: Example Shop <info@example.jp>\r\n");
  EXPECT_EQ(mailbox("Shop, Inc."), "From: \"Shop, Inc.\" <info@example.jp>\r\n");
  EXPECT_EQ(mailbox(R"(The "\" Shop)"), R"(From: "The \"\\\" Shop" <info@example.jp>)"
                                        "\r\n");
  EXPECT_EQ(mailbox("届くショップ"),
            "From: =?UTF-8?B?5bGK44GP44K344On44OD44OX?= <info@example.jp>\r\n");
  EXPECT_EQ(mailbox("日本", Encoding::iso_2022_jp),
            "From: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= <info@example.jp>\r\n");
}

TEST(Mailbox, LongNamesAreFoldedBeforeTheAddress) {
  std::string name;
  for (int i = 0; i < 50; ++i) name += "長";
  EXPECT_EQ(test::form_problem(mailbox(name), 76), "");
  EXPECT_EQ(test::read_words(unfolded(mailbox(name))), name + " <info@example.jp>");
}

TEST(Mailbox, AnEncodedWordInANameIsSaidAndNotObeyed) {
  const std::string name = "=?UTF-8?B?44GC?=";
  EXPECT_EQ(test::read_words(unfolded(mailbox(name))), name + " <info@example.jp>");
}

TEST(AddressField, QuotesOldCarrierAddressesAndWritesALabels) {
  EXPECT_EQ(to("taro@example.jp"), "To: taro@example.jp\r\n");
  EXPECT_EQ(to("a..b.@docomo.ne.jp"), "To: \"a..b.\"@docomo.ne.jp\r\n");
  EXPECT_EQ(to("taro@日本語.jp"), "To: taro@xn--wgv71a119e.jp\r\n");
}

TEST(AddressField, NamesALocalPartBeyondAsciiInAnEmptyGroup) {
  EXPECT_EQ(unfolded(to("届く@example.jp")), "=?UTF-8?B?5bGK44GPQGV4YW1wbGUuanA=?= :;");
  EXPECT_EQ(test::read_words(unfolded(to("届く@example.jp"))), "届く@example.jp :;");
}

TEST(AddressField, SaysNothingOfWhatIsNoAddress) {
  EXPECT_EQ(to("x\r\nBcc: y@example.com"), "To: undisclosed-recipients:;\r\n");
  EXPECT_EQ(to(""), "To: undisclosed-recipients:;\r\n");
  EXPECT_EQ(to("a@example.jp, b@example.jp"), "To: undisclosed-recipients:;\r\n");
}

TEST(AddressField, IsCanonical) {
  EXPECT_EQ(to("taro@example.jp."), "To: taro@example.jp\r\n");
  EXPECT_EQ(to("taro@日本語.jp."), "To: taro@xn--wgv71a119e.jp\r\n");
}

// A reader that decodes the whole field would show another sender.
TEST(AddressField, NeverHoldsAnEncodedWordOfOthers) {
  EXPECT_EQ(to("=?utf-8?q?ceo=40bank.example?=@example.jp"), "To: undisclosed-recipients:;\r\n");
  EXPECT_FALSE(sender_addr_spec("=?utf-8?q?ceo=40bank.example?=@example.jp"));
}

TEST(SenderAddress, MustBeSayableInAscii) {
  EXPECT_EQ(sender_addr_spec("info@日本語.jp"), "info@xn--wgv71a119e.jp");
  EXPECT_EQ(sender_addr_spec("届く@example.jp").error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(sender_addr_spec("nobody").error().detail, "has no @");
}

}  // namespace
}  // namespace todoku::mime
