// SPDX-License-Identifier: Apache-2.0
#include "intake/csv.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// "1:a|b" for a row, "2!1 reason <octets>" for a bad one.
std::vector<std::string> read(std::string_view text, const CsvLimits& limits = {},
                              std::size_t slice = 1'000'000) {
  CsvReader reader(limits);
  std::vector<std::string> seen;
  const CsvReader::Rows rows{.good = [&](CsvRow& row) -> Result<void> {
                               std::string line = std::to_string(row.number) + ":";
                               for (std::size_t i = 0; i < row.fields.size(); ++i) {
                                 line += (i == 0 ? "" : "|") + row.fields[i];
                               }
                               seen.push_back(line);
                               return {};
                             },
                             .bad = [&](const CsvBadRow& row) -> Result<void> {
                               seen.push_back(std::to_string(row.number) + "!" +
                                              std::to_string(row.column) + " " + row.reason.en +
                                              " <" + std::string(row.octets) + ">");
                               return {};
                             }};
  for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
    EXPECT_TRUE(reader.push(text.substr(0, slice), rows));
  }
  EXPECT_TRUE(reader.finish(rows));
  return seen;
}

TEST(CsvReader, TakesWhatSpreadsheetsWrite) {
  EXPECT_THAT(read("\xEF\xBB\xBF"
                   "email,a\r\n\"x\",\"1 \"\"2\"\"\r\n3\"\n"),
              ElementsAre("1:email|a", "2:x|1 \"2\"\r\n3"));
  EXPECT_THAT(read("a,b,,\nx,y,,\n,,,\n\n,\nz"), ElementsAre("1:a|b||", "2:x|y||", "6:z"));
  EXPECT_THAT(read("sep=;\r\na;b\r\nx,1;y\r\n"), ElementsAre("2:a|b", "3:x,1|y"));
  EXPECT_THAT(read("sep=,\na,b\n"), ElementsAre("2:a|b"));
  EXPECT_THAT(read("a\nsep=;\nb;c\n"), ElementsAre("1:a", "2:sep=;", "3:b;c"));
  EXPECT_THAT(read("sep=long\nb\n"), ElementsAre("1:sep=long", "2:b"));
  EXPECT_THAT(read("sep=|\na|b;c,d\n"), ElementsAre("2:a|b;c,d"));
  EXPECT_THAT(read("sep=\t\na\tb\n"), ElementsAre("2:a|b"));
}

TEST(CsvReader, WhatPartsTheFirstRowPartsTheOthers) {
  for (const std::size_t slice : {1UL, 2UL, 1'000UL}) {
    EXPECT_THAT(read("a;b\nx,1;y\tz\n", {}, slice), ElementsAre("1:a|b", "2:x,1|y\tz"));
  }
  EXPECT_THAT(read("\n\n\"a;\"\tb\nx\ty,z;\n"), ElementsAre("3:a;|b", "4:x|y,z;"));
  EXPECT_THAT(read("email\na;b,c\n"), ElementsAre("1:email", "2:a;b|c"))
      << "one column: commas as ever";
}

TEST(CsvReader, TellsTheLineWhereARowBegins) {
  CsvReader reader({});
  std::vector<std::uint64_t> lines;
  const CsvReader::Rows rows{.good = [&](CsvRow& row) -> Result<void> {
                               lines.push_back(row.line);
                               return {};
                             },
                             .bad = [](const CsvBadRow&) { return Result<void>{}; }};
  ASSERT_TRUE(reader.push("a\n\"b\nb\r\nb\"\nc\n\nd\n", rows));
  EXPECT_THAT(lines, ElementsAre(1, 2, 5, 7));
}

TEST(CsvReader, GoesOnAfterTheLineOfABadRow) {
  EXPECT_THAT(
      read("a,b\n\"x\"y,1\nz,2\n"),
      ElementsAre("1:a|b", "2!1 has text after a closing quotation mark <\"x\"y>", "3:z|2"));
  for (const std::string_view row : {"x, \"y, z\"\n", "x,\t \"y\", z\n", " \"x\",y\n"}) {
    EXPECT_THAT(read("a,b\n" + std::string(row) + "z,2\n"),
                ElementsAre("1:a|b", HasSubstr("has a space before an opening"), "3:z|2"))
        << row;
  }
  EXPECT_THAT(read("a,b\nx, say \"y\"\n"), ElementsAre("1:a|b", "2:x| say \"y\""));
  EXPECT_THAT(read(std::string_view("a\nx\0y,z\r\nb\n", 11)),
              ElementsAre("1:a", HasSubstr("2!1 holds a NUL"), "3:b"));
  EXPECT_THAT(read("a\n" + std::string(50, 'x') + ",y\nb\n", {.row_octets_max = 20}),
              ElementsAre("1:a", HasSubstr("2!1 is longer than 20 bytes <xxx"), "3:b"));
}

TEST(CsvReader, ALineInsideAQuotedFieldIsNoRow) {
  const auto inside = [](int line) {
    return std::to_string(line) + "!0 lies inside a quoted field that began in row 2 (line 2) <";
  };
  const auto expected = ElementsAre("1:a", HasSubstr("2!2 has no closing quotation mark"),
                                    inside(3) + "c,d>", inside(4) + "e,f>");
  EXPECT_THAT(read("a\nb,\"x\nc,d\ne,f\n"), expected);
  EXPECT_THAT(read("a\nb,\"x\nc,d\ne,f\n", {}, 1), expected);
  EXPECT_THAT(read("a\r\nb,\"x\r\nc,d\r\ne,f"), expected);
  EXPECT_THAT(read("a\r\nb,\"x\r\nc,d\r\ne,f", {}, 1), expected);
  EXPECT_THAT(read("a\nb,\"x\nc,\"d\"\ne,f\n"),
              ElementsAre("1:a", "2!2 has text after a closing quotation mark <b,\"x>",
                          inside(3) + "c,\"d\">", "4:e|f"));
}

TEST(CsvReader, AStrayQuotationMarkCostsSoManyLinesAtMost) {
  EXPECT_THAT(read("a\n\"b\nc\nd\ne\n", {.row_lines_max = 2}),
              ElementsAre("1:a", "2!1 has no closing quotation mark within 2 lines <\"b>",
                          HasSubstr("3!0 lies inside"), "4:d", "5:e"));
  const std::string wide(30, 'x');
  for (const std::size_t slice : {1U, 7U, 1'000U}) {
    EXPECT_THAT(
        read("a\n\"" + wide + "\nc\nd\ne\n", {.row_octets_max = 20, .row_lines_max = 3}, slice),
        ElementsAre("1:a", HasSubstr("2!1 is longer than 20 bytes"), HasSubstr("3!0 lies inside"),
                    HasSubstr("4!0 lies inside"), "5:e"));
  }
}

TEST(CsvReader, TheRestOfALargeFileSurvives) {
  std::string text = "email,a\n\"stray@example.jp,x\n";
  for (int i = 0; i < 100'000; ++i) text += "r" + std::to_string(i) + "@example.jp,1\n";
  const auto seen = read(text);
  const auto refused = std::ranges::count_if(
      seen, [](const std::string& row) { return row.find('!') < row.find(':'); });
  EXPECT_EQ(refused, 200);
  EXPECT_EQ(seen.size(), 100'002U);
}

TEST(CsvReader, SlicesMakeNoDifference) {
  const std::string text =
      "\xEF\xBB\xBF"
      "a,\"b\r\nc\"\r\n\"x\nd,e\r\n\"y\"z\n\"1\n\"2\nf\r\n\n\"end";
  const auto whole = read(text, {.row_lines_max = 3});
  for (std::size_t slice = 1; slice < text.size(); ++slice) {
    EXPECT_EQ(read(text, {.row_lines_max = 3}, slice), whole) << slice;
  }
}

TEST(CsvReader, TakesOldLineEndsAndHalfAByteOrderMark) {
  EXPECT_THAT(read("a,b\rc,d\n"), ElementsAre("1:a|b", "2:c|d"));
  EXPECT_THAT(read("\xEF\xBB"), ElementsAre("1:\xEF\xBB"));
  EXPECT_TRUE(read("").empty());
}

TEST(CsvReader, SlicesMakeNoDifferenceToAnything) {
  SeededRandom random(5);
  for (int round = 0; round < 5'000; ++round) {
    std::string text;
    const std::size_t size = random.below(60);
    for (std::size_t i = 0; i < size; ++i) text += "a,\"\r\n\xEF\xBB\xBF"[random.below(8)];
    const CsvLimits limits{.row_octets_max = 20, .row_lines_max = 3};
    const auto whole = read(text, limits);
    for (const std::size_t slice : {1U, 2U, 3U, 7U}) {
      ASSERT_EQ(read(text, limits, slice), whole) << "seed 5 round " << round;
    }
  }
}

TEST(AppendCsvField, MakesTextOfWhatASpreadsheetWouldRun) {
  const auto written = [](std::string_view field) {
    std::string out;
    append_csv_field(out, field);
    return out;
  };
  EXPECT_EQ(written("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
  for (const std::string_view field : {"+81", "-1", "@SUM(A1)", "\t=1", "\r=1"}) {
    EXPECT_EQ(written(field), "\"'" + std::string(field) + "\"");
  }
  EXPECT_EQ(written("a=1"), "\"a=1\"");
  EXPECT_EQ(written("a\"b\xFF"), "\"a\"\"b\xEF\xBF\xBD\"");
  EXPECT_EQ(written(""), "\"\"");
}

// Whatever a field is, a list of ours that comes back has it as it was.
TEST(ReadBackCsvField, IsTheInverseOfWriting) {
  SeededRandom random(6);
  const auto back = [](std::string_view field) {
    std::string out;
    append_csv_field(out, field);
    out += '\n';
    std::string read;
    CsvReader reader{CsvLimits{}};
    const CsvReader::Rows rows{.good = [&](CsvRow& row) -> Result<void> {
                                 read = read_back_csv_field(row.fields.at(0));
                                 return {};
                               },
                               .bad = [](const CsvBadRow& row) -> Result<void> {
                                 ADD_FAILURE() << row.reason.en;
                                 return {};
                               }};
    EXPECT_TRUE(reader.push(out, rows));
    EXPECT_TRUE(reader.finish(rows));
    return read;
  };
  for (const std::string_view field :
       {"=1+1", "'=q@a.example", "'-news", "''+1", "'", "''", "'it is", "\t=", "\r", "", "あ"}) {
    EXPECT_EQ(back(field), field);
  }
  for (int round = 0; round < 20'000; ++round) {
    std::string field;
    const std::size_t size = random.below(6);
    for (std::size_t i = 0; i < size; ++i) field += "'=+-@\t\r\"a,"[random.below(10)];
    ASSERT_EQ(back(field), field) << "seed 6 round " << round;
  }
}

}  // namespace
}  // namespace todoku::intake
