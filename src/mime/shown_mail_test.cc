// SPDX-License-Identifier: Apache-2.0
#include "mime/shown_mail.h"

#include <string>

#include <gtest/gtest.h>

#include "mime/composed_message.h"
#include "mime/message_template.h"

namespace todoku::mime {
namespace {

std::string octets_of(const Content& content) {
  const auto made = MessageTemplate::build(content, {});
  EXPECT_TRUE(made);
  ComposedMessage message;
  made->compose(
      {.address = "a@example.jp", .codes = {}, .pixel_token = {}, .unsubscribe_token = {}},
      {.delivery = 1, .message_id_domain = "mail.example.jp", .secret = {}}, message);
  std::string octets(message.head());
  for (const std::string_view piece : message.body()) octets += piece;
  return octets;
}

Content shown_content(Encoding encode) {
  Content content;
  content.from = {.address = "shop@example.jp", .name = "とどく商店"};
  content.subject = "ご注文の確認";
  content.text_part = "山田様\nありがとうございます。\n";
  content.html_part = "<p>山田様</p>\n<img src=\"cid:logo\" alt=\"ロゴ\">";
  content.encode = encode;
  content.attachments = {{"請求書.pdf", "application/pdf", std::string(300, 'x'), ""},
                         {"logo.png", "image/png", "png", "logo"}};
  return content;
}

TEST(ShownMail, IsWhatWasComposed) {
  for (const Encoding encode : {Encoding::utf_8, Encoding::iso_2022_jp}) {
    const Content content = shown_content(encode);
    const ShownMail shown = shown_mail(octets_of(content));
    EXPECT_EQ(shown.trouble, "");
    EXPECT_EQ(shown.first("subject"), content.subject);
    EXPECT_EQ(shown.first("From"), "とどく商店 <shop@example.jp>");
    EXPECT_EQ(shown.text.text, content.text_part);
    EXPECT_EQ(shown.text.charset, encode == Encoding::utf_8 ? "utf-8" : "iso-2022-jp");
    EXPECT_TRUE(shown.html.text.starts_with("<p>山田様</p>\n<img src=\"cid:logo@"));
    ASSERT_EQ(shown.files.size(), 2U);
    // The image stands beside the HTML that shows it, before what is attached.
    EXPECT_EQ(shown.files[0].type, "image/png");
    EXPECT_TRUE(shown.files[0].content_id.starts_with("logo@"));
    EXPECT_EQ(shown.files[1].name, "請求書.pdf");
    EXPECT_EQ(shown.files[1].type, "application/pdf");
    EXPECT_GE(shown.files[1].octets, 400U);
  }
}

TEST(ShownMail, ReadsWhatOthersWrite) {
  const ShownMail shown = shown_mail(
      "Subject: a\r\n b\r\nContent-Type: text/plain; format=flowed; charset=\"Shift_JIS\"\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n=82=A0=\r\n=82=A2\r\nc=3d\r\n");
  EXPECT_EQ(shown.first("Subject"), "a b");
  EXPECT_EQ(shown.text.text, "あい\nc=\n");
  EXPECT_FALSE(shown.html.is_there);
}

TEST(ShownMail, WithoutTypeIsText) {
  const ShownMail shown = shown_mail("Subject: x\r\n\r\nbody\r\n");
  EXPECT_EQ(shown.text.text, "body\n");
  EXPECT_EQ(shown.text.charset, "us-ascii");
}

TEST(ShownMail, WhatMeansTwoThingsIsNotRead) {
  const ShownMail shown = shown_mail(
      "Subject: x\r\nContent-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\n"
      "one\r\n--b\r\n\r\ntwo\r\n--a--\r\n");
  EXPECT_EQ(shown.first("subject"), "x");
  EXPECT_NE(shown.trouble, "");
  EXPECT_FALSE(shown.text.is_there);
}

TEST(ShownMail, AnAttachedTextIsAFile) {
  const ShownMail shown = shown_mail(
      "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n"
      "Content-Disposition: attachment; filename*=UTF-8''%E3%81%82.txt\r\n\r\nfile\r\n--a\r\n\r\n"
      "read\r\n--a--\r\n");
  EXPECT_EQ(shown.text.text, "read");
  ASSERT_EQ(shown.files.size(), 1U);
  EXPECT_EQ(shown.files[0].name, "あ.txt");
}

}  // namespace
}  // namespace todoku::mime
