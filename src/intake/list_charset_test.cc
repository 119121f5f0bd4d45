// SPDX-License-Identifier: Apache-2.0
#include "intake/list_charset.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

constexpr std::string_view kListInShiftJis = "email,__a__\na@example.jp,\x91\xBE\x98\x59\n";
constexpr std::string_view kListInUtf8 = "email,__a__\na@example.jp,太郎\n";

std::string warning(std::string_view charset, std::string_view list,
                    store::ImportForm form = store::ImportForm::csv) {
  ListCharset said;
  said.name(charset);
  said.push(list.substr(0, list.size() / 2));
  said.push(list.substr(list.size() / 2));
  return said.warning(form);
}

TEST(ListCharset, SaysNothingWhereTheListIsWhatItIsCalled) {
  for (const std::string_view name : {"", "UTF-8", "utf8"})
    EXPECT_EQ(warning(name, kListInUtf8), "");
  for (const std::string_view name : {"Shift_JIS", "x-sjis", "CP932", "windows-31j", " sjis "}) {
    EXPECT_EQ(warning(name, kListInShiftJis), "") << name;
  }
  EXPECT_EQ(warning("UTF-16", std::string_view("\xFF\xFE"
                                               "e\0",
                                               4)),
            "");
  EXPECT_EQ(warning("ISO-8859-1", "email\na@example.jp\n"), "") << "ASCII is that as well";
}

TEST(ListCharset, NamesWhatItIsReadAsInstead) {
  EXPECT_EQ(warning("Shift_JIS", kListInUtf8), "the list is called shift_jis and read as utf_8");
  EXPECT_EQ(warning("utf-8", kListInShiftJis), "the list is called utf-8 and read as shift_jis");
  EXPECT_EQ(warning("EUC-JP", kListInShiftJis), "the list is called euc-jp and read as shift_jis");
  EXPECT_EQ(warning("a\xE3\x7F"
                    "b",
                    kListInUtf8),
            "the list is called a??b and read as utf_8");
  EXPECT_EQ(warning("utf-16", "email\n"), "the list is called utf-16 and read as utf_8");
}

TEST(ListCharset, OfJsonIsUtf8) {
  EXPECT_EQ(warning("UTF-8", "{}", store::ImportForm::ndjson), "");
  EXPECT_EQ(warning("Shift_JIS", "{}", store::ImportForm::ndjson),
            "the list is called shift_jis and read as utf_8");
}

}  // namespace
}  // namespace todoku::intake
