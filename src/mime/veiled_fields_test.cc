// SPDX-License-Identifier: Apache-2.0
#include "mime/veiled_fields.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::mime {
namespace {

using namespace std::string_literals;

TEST(VeiledFields, OnlyThoseOfTheFormKeepTheirNames) {
  const std::string mail =
      "From: a\r\nTo : b\r\n c\r\nCONTENT-type: text/plain;\r\n charset=utf-8\r\n"
      "Content-Type : x/y\r\nReply-To\t:d\r\nCc\0: e\r\n\r\n"
      "A text: not one.\r\nTo: f\r\n--b:c\r\n"s;
  EXPECT_EQ(veil_fields(mail),
            "X-Veiled-From: a\r\nX-Veiled-To : b\r\n c\r\nCONTENT-type: text/plain;\r\n "
            "charset=utf-8\r\nX-Veiled-Content-Type : x/y\r\nX-Veiled-Reply-To\t:d\r\n"
            "X-Veiled-Cc\0: e\r\n\r\nA text: not one.\r\nX-Veiled-To: f\r\n--b:c\r\n"s);
  EXPECT_EQ(unveil_fields(veil_fields(mail)), mail);
  EXPECT_EQ(veil_fields("To" + std::string(100'000, ' ') + ": x").substr(0, 11), "X-Veiled-To");
}

TEST(VeiledFields, WhatIsThereComesBackAsItWas) {
  for (const std::string& mail :
       {""s, "\n"s, "a:"s, "X-Veiled-a: b\nX-Veiled-\nX-Veiled- c"s, ": a\n:\n\r\n: b"s,
        "M:$5L;&\\L\n`\nend\n"s, "\xEF\xBB\xBFTo: a\n"s, "a\r\r\nTo:\rCc: x\n\n\n"s}) {
    EXPECT_EQ(unveil_fields(veil_fields(mail)), mail);
  }
}

TEST(VeiledFields, FieldsOfTheFormAreBounded) {
  std::string field = "Content-Type: text/plain";
  while (field.size() < 4 * kFormFieldOctetsMax) field += ";\n a=b";
  const std::string veiled = veil_fields(field + "\n\ntext\n");
  EXPECT_LE(veiled.size(), kFormFieldOctetsMax + 10);
  EXPECT_TRUE(veiled.ends_with("\n\ntext\n"));
  const std::string line = "Content-Type: " + std::string(3 * kFormFieldOctetsMax, 'x') + "\n\ny";
  EXPECT_EQ(veil_fields(line), line.substr(0, kFormFieldOctetsMax) + "\n\ny");
  std::string many;
  while (many.size() < 2 * kFormFieldsOctetsMax) many += "Content-Type: a/b\n";
  EXPECT_TRUE(veil_fields(many).contains("\nX-Veiled-Content-Type: a/b\n"));
}

}  // namespace
}  // namespace todoku::mime
