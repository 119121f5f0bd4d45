// SPDX-License-Identifier: Apache-2.0
#include "http/header_value.h"

#include <gtest/gtest.h>

#include "http/headers.h"

namespace todoku::http {
namespace {

std::optional<std::string> name_in(std::string_view disposition) {
  return file_name(parse_parameterized(disposition));
}

TEST(Headers, FindWithoutCaseAndReplace) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  headers.add("X-Twice", "1");
  headers.add("x-twice", "2");
  EXPECT_EQ(headers.find("CONTENT-TYPE"), "text/plain");
  EXPECT_EQ(headers.get("X-TWICE"), "1");
  EXPECT_EQ(headers.count("X-Twice"), 2U);
  EXPECT_EQ(headers.find("Content-Typ"), std::nullopt);
  headers.set("X-Twice", "3");
  EXPECT_EQ(headers.count("X-Twice"), 1U);
  EXPECT_EQ(headers.get("X-Twice"), "3");
  headers.clear();
  EXPECT_TRUE(headers.empty());
}

TEST(ParameterizedValue, ToleratesTrailingSemicolonsAndMissingQuotes) {
  const auto value = parse_parameterized(R"(form-data ; NAME=data;; filename="a;b \"c\".txt" ;)");
  EXPECT_EQ(value.value, "form-data");
  ASSERT_EQ(value.parameters.size(), 2U);
  EXPECT_EQ(*value.find("name"), "data");
  EXPECT_EQ(*value.find("filename"), R"(a;b "c".txt)");
  EXPECT_EQ(*parse_parameterized("x; a=\"open").find("a"), "open");
  EXPECT_EQ(*parse_parameterized("x; a = \"b\"junk; c=d").find("c"), "d");
  EXPECT_EQ(parse_parameterized("").value, "");
}

TEST(MediaType, ReadsWhatClientsReallySend) {
  EXPECT_EQ(media_type("Application/JSON; charset=UTF-8"), "application/json");
  EXPECT_EQ(media_type("application/json;"), "application/json");
  EXPECT_EQ(media_type("('text/plain', None)"), "text/plain");
  EXPECT_EQ(media_type("(None, None)"), "");
  EXPECT_EQ(media_type("text"), "");
  EXPECT_EQ(media_type("a b/c"), "");
  EXPECT_EQ(media_type(""), "");
}

TEST(FileName, PrefersTheExtendedForm) {
  EXPECT_EQ(name_in("form-data; name=file; filename=a.txt; filename*=utf-8''%E5%B1%8A.txt"),
            "届.txt");
  EXPECT_EQ(name_in("form-data; filename*=iso-8859-1'en'%A3.txt"), "£.txt");
  EXPECT_EQ(name_in("form-data; filename=b.txt; filename*=utf-8''%FF"), "b.txt");
  EXPECT_EQ(name_in("form-data; filename=b.txt; filename*=broken"), "b.txt");
}

TEST(FileName, DecodesEncodedWords) {
  EXPECT_EQ(name_in(R"(form-data; filename="=?UTF-8?B?5bGKLnR4dA==?=")"), "届.txt");
  EXPECT_EQ(name_in(R"(form-data; filename==?utf-8?q?=E5=B1=8A_1.txt?=)"), "届 1.txt");
  EXPECT_EQ(name_in(R"(form-data; filename="=?UTF-8?B?5bGK?= =?UTF-8?B?LnR4dA==?= x")"),
            "届.txt x");
  EXPECT_EQ(name_in(R"(form-data; filename="=?UTF-8?B?!?=")"), "=?UTF-8?B?!?=");
  EXPECT_EQ(name_in(R"(form-data; filename="=?X-UNKNOWN?Q?a?=")"), "=?X-UNKNOWN?Q?a?=");
}

TEST(FileName, IsHarmless) {
  EXPECT_EQ(name_in(R"(form-data; filename="../../etc/passwd")"), "passwd");
  EXPECT_EQ(name_in(R"(form-data; filename="C:\dir\report.pdf")"), "report.pdf");
  EXPECT_EQ(name_in("form-data; filename=\"a\x01\x7F.txt\""), "a.txt");
  EXPECT_EQ(name_in("form-data; filename*=utf-8''a%0D%0AX-Evil%3A%201.txt"), "aX-Evil: 1.txt");
  EXPECT_EQ(name_in("form-data; filename=\"\x93\xFA.txt\""), "\uFFFD\uFFFD.txt");
  EXPECT_EQ(name_in("form-data; filename=\"\""), "");
  EXPECT_EQ(name_in("form-data; name=x"), std::nullopt);
}

}  // namespace
}  // namespace todoku::http
