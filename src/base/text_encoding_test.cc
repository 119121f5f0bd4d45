// SPDX-License-Identifier: Apache-2.0
#include "base/text_encoding.h"

#include <string>

#include <gmock/gmock.h>

namespace todoku {
namespace {

using ::testing::HasSubstr;

TEST(GuessedEncoding, TellsWhatPeopleHave) {
  const auto guess = [](std::string_view octets) { return guessed_encoding(octets).en; };
  EXPECT_THAT(std::string(guess("a,\x8E\x52\x93\x63")), HasSubstr("Shift_JIS"));
  EXPECT_THAT(std::string(guess("\xB1\xB2,\x8E\x52")), HasSubstr("Shift_JIS"));
  EXPECT_THAT(std::string(guess("a,\xBB\xB3\xC5\xC4")), HasSubstr("EUC-JP"));
  for (const std::string_view shifted : {"a,\x1B$B;3\x1B(B", "\x1B$@;3", "\x1B(I6", "\x1B$(D;3",
                                         "\x1B$)C\x0E;3\x0F", "\x1B\x1B$B"}) {
    EXPECT_THAT(std::string(guess(shifted)), HasSubstr("ISO-2022-JP"));
  }
  EXPECT_EQ(guess("red \x1B[31m, at the end \x1B"), "");
  EXPECT_THAT(std::string(guess(std::string_view("\xD0\xCF\x11\xE0\xA1\xB1\0\0", 8))),
              HasSubstr("Excel"));
  EXPECT_THAT(std::string(guess(std::string_view("\xFF\xFE"
                                                 "e\0m\0",
                                                 6))),
              HasSubstr("UTF-16"));
  EXPECT_THAT(std::string(guess(std::string_view("\0e\0m\0a", 6))), HasSubstr("UTF-16"));
  EXPECT_THAT(std::string(guess("PK\x03\x04...")), HasSubstr("workbook"));
  for (const std::string_view markup :
       {"<html><body>", "\xEF\xBB\xBF\r\n<!DOCTYPE HTML>", " <Table>", "<?xml version=\"1.0\"?>",
        "<meta charset=\"Shift_JIS\">\x8E\x52"}) {
    EXPECT_THAT(std::string(guess(markup)), HasSubstr("HTML")) << markup;
  }
  EXPECT_EQ(guess("<a@good.example>"), "");
  EXPECT_EQ(guess("email,名前"), "");
  EXPECT_EQ(guess("\xFF\x80\xFF"), "");
}

// What is found of a file that comes in slices; empty: nothing.
std::string found(std::string_view file, std::size_t slice) {
  EncodingCheck check;
  for (; !file.empty(); file.remove_prefix(std::min(slice, file.size()))) {
    check.push(file.substr(0, slice));
  }
  check.finish();
  return check.found() ? check.found()->en : "";
}

TEST(ForeignEncoding, IsWhatCannotBeSentAsItStands) {
  const auto found = [](std::string_view octets) {
    return std::string(foreign_encoding(octets).en);
  };
  EXPECT_EQ(found("<html>\x8E\x52\x93\x63"), "it looks like Shift_JIS; save it as UTF-8");
  EXPECT_EQ(found("\xBB\xB3\xC5\xC4"), "it looks like EUC-JP; save it as UTF-8");
  EXPECT_EQ(found("\x1B$B;3\x1B(B"), "it looks like ISO-2022-JP; save it as UTF-8");
  EXPECT_THAT(found("\xFF\xFE\x71\x5C"), HasSubstr("UTF-16"));
  EXPECT_THAT(found(std::string_view("h\0i\0", 4)), HasSubstr("UTF-16"));
  EXPECT_THAT(found(std::string_view("\xFF\0\x71\x5C\x30\x42", 6)), HasSubstr("UTF-16"));
  EXPECT_THAT(found("\xFF\x80\xFF"), HasSubstr("not valid UTF-8"));
  EXPECT_EQ(found("<html>山田"), "");
  EXPECT_EQ(found("PK"), "");
  EXPECT_EQ(found(""), "");
}

TEST(EncodingCheck, FindsTheFirstLineThatIsNotUtf8) {
  std::string rows;
  for (int i = 0; i < 5'000; ++i) rows += "user@example.jp,東京\n";
  const std::string shift_jis = "a@example.jp,\x93\x8C\x8B\x9E\n";
  for (const std::size_t slice : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
    EXPECT_EQ(found("", slice), "");
    EXPECT_EQ(found("a@example.jp\n", slice), "");
    EXPECT_EQ(found(rows, slice), "");
    EXPECT_THAT(found(shift_jis, slice), ::testing::StartsWith("it looks like Shift_JIS"));
    EXPECT_THAT(found(rows + shift_jis + rows, slice),
                ::testing::StartsWith("line 5001: it looks like Shift_JIS"));
    EXPECT_EQ(found(rows + "\xFF\x80\xFF", slice), "line 5001: is not valid UTF-8");
    EXPECT_THAT(found(rows + "\x1B$B;3\x1B(B\n", slice), HasSubstr("line 5001: it looks like ISO"));
    EXPECT_THAT(found(std::string("\xFF\xFE"
                                  "a\0\n\0",
                                  6),
                      slice),
                HasSubstr("UTF-16"));
  }
}

TEST(EncodingCheck, ALineWithoutAnEndIsLookedAtInPieces) {
  std::string line;
  for (int i = 0; i < 100'000; ++i) line += "東";
  EXPECT_EQ(found(line, 1'000), "");
  EXPECT_THAT(found(line + "\xE6", 1'000), ::testing::StartsWith("line 1: "));
}

}  // namespace
}  // namespace todoku
