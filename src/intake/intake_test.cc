// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "intake/check.h"
#include "intake/csv.h"

namespace todoku::intake {
namespace {

std::string joined(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems.list()) {
    for (const std::string& step : problem.path) out += step + ".";
    out += " " + problem.text.en + "\n";
  }
  return out;
}

Content good_content() {
  Content content;
  content.from = {"sender@example.jp", "送信者"};
  content.subject = "件名";
  content.text_part = "本文";
  return content;
}

std::string problems_of(const Content& content) {
  Problems problems;
  check_content(content, Limits{}, problems);
  return joined(problems);
}

TEST(CheckContent, AcceptsTheSmallestMail) {
  EXPECT_EQ(problems_of(good_content()), "");
}

TEST(CheckContent, NamesEveryFieldThatIsWrong) {
  Content content;
  content.from = {"x@y", std::string(51, 'n')};
  content.subject = "a\r\nBcc: victim@example.jp";
  content.html_part = "<![CDATA[";
  content.list_unsubscribe_mailto = "unsubscribe@example.jp";
  content.list_unsubscribe_url = "https://example.jp/>,<mailto:x@example.jp";
  EXPECT_EQ(problems_of(content),
            "from.email. the character length is not in the range 6 through 254.\n"
            "from.name. the character length is not in the range 0 through 50.\n"
            "subject. must not contain line breaks or other control characters.\n"
            "text_part. is required.\n"
            "html_part. must not contain CDATA.\n"
            "list_unsubscribe.mailto. unsubscribe@example.jp: invalid format.\n"
            "list_unsubscribe.url. https://example.jp/>,<mailto:x@example.jp: invalid format.\n");
}

TEST(CheckContent, CountsCharactersNotOctets) {
  Content content = good_content();
  content.subject.clear();
  for (int i = 0; i < 256; ++i) content.subject += "件";
  EXPECT_EQ(problems_of(content), "");
  content.subject += "件";
  EXPECT_EQ(problems_of(content),
            "subject. the character length is not in the range 1 through 256.\n");
}

TEST(CheckContent, RefusesDangerousAttachmentsWhateverTheirCase) {
  Content content = good_content();
  content.attachments = {{"report.pdf", "application/pdf", "x"}, {"run.EXE", "", "x"}};
  EXPECT_EQ(problems_of(content),
            "file.1. \"run.EXE\" has a file extension that cannot be attached.\n");
  content.attachments = {{"a.pdf", "", std::string((1U << 20U) + 1, 'x')}};
  EXPECT_EQ(problems_of(content),
            "file. the attachments have 1048577 bytes together; the limit is 1048576 bytes.\n");
}

TEST(CheckContent, SeesTheExtensionThatWindowsSees) {
  Content content = good_content();
  content.attachments = {{"a.exe. .", "", "x"}, {"a.exe.txt", "", "x"}, {". .", "", "x"}};
  EXPECT_EQ(problems_of(content),
            "file.0. \"a.exe. .\" has a file extension that cannot be attached.\n");
}

TEST(CheckInsertCodes, FollowsTheContractsRules) {
  Problems problems;
  check_insert_codes({{"__a__", "1"},
                      {"%%name%%", "2"},
                      {"__a%%", "3"},
                      {"__x__", ""},
                      {"a", ""},
                      {"__a__", "4"},
                      {"__na me__", ""}},
                     {"insert_code"}, Limits{}, problems);
  EXPECT_EQ(joined(problems),
            "insert_code.2.key. __a%%: invalid format.\n"
            "insert_code.4.key. the character length is not in the range 5 through 20.\n"
            "insert_code.5.key. __a__: the key is given more than once.\n"
            "insert_code.6.key. __na me__: invalid format.\n");
}

TEST(CheckInsertCodes, ValuesAreUtf8) {
  Problems problems;
  check_insert_codes({{"__a__", "日本"}, {"__b__", "\x93\xFA"}, {"__c__", "\xE5\x90"}},
                     {"insert_code"}, Limits{}, problems);
  EXPECT_EQ(joined(problems),
            "insert_code.1.value. is not valid UTF-8.\n"
            "insert_code.2.value. is not valid UTF-8.\n");
}

TEST(CheckTransaction, OneRecipientPerAddress) {
  TransactionRequest request;
  request.content = good_content();
  request.to = "One@example.jp";
  request.cc = {"two@example.jp", "one@example.jp"};
  request.bcc = {"three@example.jp"};
  Problems problems;
  const auto recipients = check_transaction(request, Limits{}, problems);
  ASSERT_TRUE(problems.empty()) << joined(problems);
  ASSERT_EQ(recipients.size(), 3U);
  EXPECT_EQ(recipients[0].address, "One@example.jp");
  EXPECT_EQ(recipients[2].domain, "example.jp");
}

TEST(CheckTransaction, ReportsWhichCcIsWrong) {
  TransactionRequest request;
  request.content = good_content();
  request.to = "one@example.jp, two@example.jp";
  request.cc = {"two@example.jp", "broken"};
  Problems problems;
  (void)check_transaction(request, Limits{}, problems);
  EXPECT_EQ(joined(problems),
            "to. invalid e-mail format: it has a character that an address cannot hold.\n"
            "cc.1. invalid e-mail format: it has no @.\n");
}

std::string read_csv(std::string_view text, std::size_t slice = 1'000'000) {
  CsvReader reader(1000);
  std::string out;
  const auto on_row = [&](CsvRow& row) -> Result<void> {
    out += std::to_string(row.number) + ":";
    for (const std::string& field : row.fields) out += "[" + field + "]";
    out += "\n";
    return {};
  };
  Result<void> result;
  while (result && !text.empty()) {
    const std::string_view part = text.substr(0, slice);
    result = reader.push(part, on_row);
    text.remove_prefix(part.size());
  }
  if (result) result = reader.finish(on_row);
  return result ? out : out + "error: " + result.error().detail;
}

TEST(Csv, ReadsWhatExportsLookLike) {
  EXPECT_EQ(read_csv("\xEF\xBB\xBF"
                     "email,__a__\r\nx@y,\"1\"\"2,\r\n3\"\r\n\r\nz,"),
            "1:[email][__a__]\n2:[x@y][1\"2,\r\n3]\n4:[z][]\n");
  EXPECT_EQ(read_csv("a,b\rc,d\n"), "1:[a][b]\n2:[c][d]\n");
  EXPECT_EQ(read_csv(""), "");
  EXPECT_EQ(read_csv("\xEF\xBB"), "1:[\xEF\xBB]\n");
}

TEST(Csv, NamesTheBrokenRow) {
  EXPECT_EQ(read_csv("a\n\"b"), "1:[a]\nerror: row 2: has no closing quotation mark");
  EXPECT_EQ(read_csv("a\n\"b\"c\n"),
            "1:[a]\nerror: row 2: has text after a closing quotation mark");
  EXPECT_EQ(read_csv(std::string(1001, 'x')), "error: row 1: is longer than 1000 bytes");
}

TEST(Csv, WritesQuotedUtf8WhateverTheField) {
  std::string out;
  append_csv_field(out, "a\"b,\r\n\x93日\xE5\x90");
  EXPECT_EQ(out, "\"a\"\"b,\r\n\uFFFD日\uFFFD\uFFFD\"");
}

TEST(Csv, SlicesDoNotMatter) {
  SeededRandom random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const std::size_t size = random.below(40);
    for (std::size_t i = 0; i < size; ++i) text += "a,\"\r\n\xEF\xBB\xBF"[random.below(8)];
    const std::string whole = read_csv(text);
    for (const std::size_t slice : {1U, 2U, 3U, 7U}) {
      ASSERT_EQ(read_csv(text, slice), whole) << "seed 5 round " << round;
    }
  }
}

}  // namespace
}  // namespace todoku::intake
