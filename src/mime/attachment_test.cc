// SPDX-License-Identifier: Apache-2.0
#include "mime/attachment.h"

#include <gtest/gtest.h>

#include "mime/file_name.h"
#include "mime/media_type.h"
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

TEST(Attachment, KeepsTheMediaTypeAndWhatTheSenderSaysOfIt) {
  EXPECT_TRUE(type_of("text/csv; charset=Shift_JIS; header=present")
                  .starts_with("text/csv; charset=Shift_JIS; header=present; name="));
  EXPECT_TRUE(type_of("text/calendar;method=REQUEST; charset=\"utf-8\"")
                  .starts_with("text/calendar; method=REQUEST; charset=utf-8; name="));
  EXPECT_TRUE(type_of("Image/PNG;").starts_with("image/png; name="));
  EXPECT_TRUE(type_of("a/b; x=\"two words; \\\"q\\\"\"; Y = 1")
                  .starts_with("a/b; x=\"two words; \\\"q\\\"\"; y=1; name="));
  EXPECT_TRUE(
      type_of("a/b; title=\"届く\"; t*=UTF-8'ja'%E5%B1%8A")
          .starts_with("a/b; title*=UTF-8''%E5%B1%8A%E3%81%8F; t*=UTF-8'ja'%E5%B1%8A; name="));
}

TEST(Attachment, LeavesOutParametersThatDoHarm) {
  for (const char* given :
       {"text/plain; boundary=x", "text/plain; name=evil.exe; name*=UTF-8''evil.exe; name*0=a",
        "text/plain; filename=x", "text/plain; =x; ; x", "text/plain; x=\"a\r\nBcc: y\"",
        "text/plain; charset=\"a b\"", "text/plain; x*0=a; x*0*=b; x*=c",
        "text/plain; a b=c; \xE3\x81=d; x=\xE3", "text/plain; x=\"\u202Egpj\""}) {
    EXPECT_TRUE(type_of(given).starts_with("text/plain; name=")) << given << " " << type_of(given);
  }
  EXPECT_TRUE(type_of("text/plain; a=1; A=2").starts_with("text/plain; a=1; name="));
  EXPECT_TRUE(type_of("a/b; x=" + std::string(201, 'x')).starts_with("a/b; name="));
  std::string many = "a/b";
  for (int i = 0; i < 50; ++i) many += "; p" + std::to_string(i) + "=" + std::string(190, 'x');
  EXPECT_LE(type_of(many).size(), kMediaTypeOctetsMax + 20);
  EXPECT_TRUE(type_of("a/b; x=\"=?utf-8?q?y?=\"").contains("x*=UTF-8''%3D%3Futf-8"));
}

// What Windows, a mail program or a reader makes of a name is what decides.
TEST(FileName, ExtensionsAreThoseThatAComputerSees) {
  const auto extensions = [](std::string_view name) {
    std::string out;
    for (const std::string& extension : file_extensions(name)) out += extension + ",";
    return out;
  };
  for (const char* name :
       {"a.exe", "a.EXE", "a.exe.", "a.exe . .", "a.exe\u00A0", "a.e\u200Bxe", "a.exe\u3000",
        "a．ｅｘｅ", "a\u202Egpj.exe", "a\u2024exe", "a.exe\u2800", "dir.d/..\\a.exe",
        "a.exe\uFEFF.", "a.exe\x01", "a.exe\u2025"}) {
    EXPECT_TRUE(("," + extensions(name)).ends_with(",exe,")) << name << " " << extensions(name);
  }
  EXPECT_EQ(extensions("a.exe::$DATA"), "exe,");
  EXPECT_EQ(extensions("a.txt:b.exe"), "txt,exe,");
  EXPECT_EQ(extensions("a.exe.txt"), "txt,");
  EXPECT_EQ(extensions("exe"), "");
  EXPECT_EQ(extensions("...: . "), "");
  EXPECT_EQ(clean_file_name("請求書\u202Efdp.txt\u00A0"), "請求書fdp.txt");
}

TEST(Attachment, WhatIsNoMediaTypeOrMayNotBeBase64IsOctets) {
  for (const char* given : {"", "text", "('text/plain', None)", "text/plain\r\nX: y", "a/b/c",
                            "message/rfc822", "multipart/mixed; boundary=x", "日本/語"}) {
    EXPECT_TRUE(type_of(given).starts_with("application/octet-stream; name=")) << given;
  }
}

}  // namespace
}  // namespace todoku::mime
