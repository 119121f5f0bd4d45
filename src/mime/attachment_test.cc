// SPDX-License-Identifier: Apache-2.0
#include "mime/attachment.h"

#include <gtest/gtest.h>

#include "mime/test_reader.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

test::Entity part(const Attachment& attachment, Encoding charset = Encoding::utf_8) {
  const std::string text = encode_attachment(attachment, charset);
  EXPECT_EQ(test::form_problem(text, kLineOctetsMax), "");
  return test::read_entity(text);
}

std::string type_of(std::string mime_type) {
  return part({"a.bin", std::move(mime_type), "x"}).field("Content-Type");
}

// filename* put together again (RFC 2231 section 4.1).
std::string extended_filename(const std::string& disposition) {
  std::string value = test::parameter(disposition, "filename*");
  for (int i = 0; value.empty() || i > 0; ++i) {
    const std::string piece = test::parameter(disposition, "filename*" + std::to_string(i) + "*");
    if (piece.empty()) break;
    value += piece;
  }
  if (!value.starts_with("UTF-8''")) return "not UTF-8: " + value;
  std::string out;
  for (std::size_t i = 7; i < value.size(); ++i) {
    if (value[i] == '%') {
      out += from_hex(value.substr(i + 1, 2)).value_or("?");
      i += 2;
    } else {
      out += value[i];
    }
  }
  return out;
}

TEST(Attachment, IsBase64UnderItsName) {
  const auto entity = part({"report 1.pdf", "application/pdf", std::string(200, '\xFF')});
  EXPECT_EQ(entity.field("Content-Type"), "application/pdf; name=\"report 1.pdf\"");
  EXPECT_EQ(entity.field("Content-Disposition"), "attachment; filename=\"report 1.pdf\"");
  EXPECT_EQ(test::read_content(entity), std::string(200, '\xFF'));
}

TEST(Attachment, SaysJapaneseNamesInBothWays) {
  const auto entity = part({"請求書 2026年1月分(確定版).pdf", "application/pdf", "x"});
  EXPECT_EQ(test::read_words(test::parameter(entity.field("Content-Type"), "name")),
            "請求書 2026年1月分(確定版).pdf");
  EXPECT_EQ(extended_filename(entity.field("Content-Disposition")),
            "請求書 2026年1月分(確定版).pdf");
}

TEST(Attachment, SaysTheOlderNameInTheCharsetOfTheMailIfItCan) {
  const Attachment japanese{"㈱髙島.txt", "text/plain", "x"};
  EXPECT_TRUE(part(japanese, Encoding::iso_2022_jp).field("Content-Type").contains("ISO-2022-JP"));
  const Attachment emoji{"😀.txt", "text/plain", "x"};
  const auto entity = part(emoji, Encoding::iso_2022_jp);
  EXPECT_EQ(test::read_words(test::parameter(entity.field("Content-Type"), "name")), "😀.txt");
}

TEST(Attachment, NamesLoseDirectoriesControlsAndExcessiveLength) {
  EXPECT_EQ(
      test::parameter(part({"C:\\tmp\\a.txt", "text/plain", ""}).field("Content-Type"), "name"),
      "a.txt");
  EXPECT_EQ(
      test::parameter(part({"../../etc/passwd", "text/plain", ""}).field("Content-Type"), "name"),
      "passwd");
  EXPECT_EQ(
      test::parameter(part({"a\"\r\nX: y.txt", "text/plain", ""}).field("Content-Type"), "name"),
      "a\" X: y.txt");
  EXPECT_EQ(test::parameter(part({"", "text/plain", ""}).field("Content-Type"), "name"),
            "attachment");
  std::string stem;
  for (int i = 0; i < 300; ++i) stem += "長";
  const std::string name =
      extended_filename(part({stem + ".xlsx", "x/y", ""}).field("Content-Disposition"));
  EXPECT_EQ(name.size(), 200U);
  EXPECT_TRUE(name.ends_with("長.xlsx"));
}

TEST(Attachment, KeepsTheMediaTypeAndItsCharsetOnly) {
  EXPECT_TRUE(type_of("text/csv; charset=Shift_JIS; evil=\"x\"")
                  .starts_with("text/csv; charset=Shift_JIS; name="));
  EXPECT_TRUE(type_of("Image/PNG").starts_with("image/png; name="));
  EXPECT_TRUE(type_of("text/csv; charset=\"utf-8\"").starts_with("text/csv; charset=utf-8; name="));
}

TEST(Attachment, WhatIsNoMediaTypeOrMayNotBeBase64IsOctets) {
  for (const char* given : {"", "text", "('text/plain', None)", "text/plain\r\nX: y", "a/b/c",
                            "message/rfc822", "multipart/mixed; boundary=x", "日本/語"}) {
    EXPECT_TRUE(type_of(given).starts_with("application/octet-stream; name=")) << given;
  }
  EXPECT_TRUE(type_of("text/plain; charset=\"a\r\nX: y\"").starts_with("text/plain; name="));
}

}  // namespace
}  // namespace todoku::mime
