// SPDX-License-Identifier: Apache-2.0
#include "intake/json_rows.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/json.h"

namespace todoku::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> lines(std::string_view text, std::size_t slice, std::size_t most = 100) {
  std::vector<std::string> seen;
  JsonLines reader(most);
  const JsonLines::Take take = [&](const JsonLine& line) -> Result<void> {
    seen.push_back(fmt::format("{}{}{}", line.number, line.too_long ? "!" : ":", line.text));
    return {};
  };
  for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
    EXPECT_TRUE(reader.push(text.substr(0, slice), take));
  }
  EXPECT_TRUE(reader.finish(take));
  return seen;
}

// "a@example.jp|__a__=x", or the problems, or the fault.
std::string row(std::string_view line, std::size_t codes_max = 3) {
  const auto read = read_json_row(line, codes_max);
  if (!read) return fmt::format("{}! {}", read.error().column, read.error().why.en);
  std::string out = read->request.email;
  for (const InsertCode& code : read->request.insert_codes) {
    out += fmt::format("|{}={}", code.key, code.value);
  }
  for (const Problem& problem : read->problems.list()) {
    out += fmt::format(" [{}: {}]", fmt::join(problem.path, "."), problem.text.en);
  }
  return out;
}

TEST(JsonLines, HandsOutLinesHoweverTheyAreCut) {
  for (const std::size_t slice : {1UL, 2UL, 3UL, 100UL}) {
    EXPECT_THAT(lines("a\nbc\r\n\n \t\r\nd", slice), ElementsAre("1:a", "2:bc", "5:d")) << slice;
    EXPECT_THAT(lines("", slice), IsEmpty());
    EXPECT_THAT(lines("\n\n", slice), IsEmpty());
  }
}

TEST(JsonLines, AByteOrderMarkIsNoPartOfTheFirstLine) {
  for (const std::size_t slice : {1UL, 2UL, 4UL, 100UL}) {
    EXPECT_THAT(lines("\xEF\xBB\xBF{}\r\nb", slice), ElementsAre("1:{}", "2:b")) << slice;
    EXPECT_THAT(lines("\xEF\xBB\xBF\n\xEF\xBB\xBF", slice), ElementsAre("2:\xEF\xBB\xBF")) << slice;
    EXPECT_THAT(lines("\xEF\xBB\xBF"
                      "1234\r\n",
                      slice, 4),
                ElementsAre("1:1234"))
        << slice;
    EXPECT_THAT(lines("\xEF\xBB\xBF"
                      "12345\n",
                      slice, 4),
                ElementsAre("1!1234"))
        << slice;
  }
}

TEST(JsonLines, ALineThatIsTooLongCostsItselfAlone) {
  for (const std::size_t slice : {1UL, 4UL, 100UL}) {
    EXPECT_THAT(lines("1234\n12345\n123456789\n1234\r\nx", slice, 4),
                ElementsAre("1:1234", "2!1234", "3!1234", "4:1234", "5:x"))
        << slice;
  }
}

TEST(JsonRow, IsReadAsARecipientOfAnUpdate) {
  EXPECT_EQ(row(R"({"email":"a@example.jp"})"), "a@example.jp");
  EXPECT_EQ(row(R"( {"insert_code":[{"key":"__a__","value":"x\ny"},{"value":1.50,"key":"%%b%%"}],)"
                R"("email":"a@example.jp"} )"),
            "a@example.jp|__a__=x\ny|%%b%%=1.50");
  EXPECT_EQ(row(R"({"email":"a@example.jp","insert_code":null})"), "a@example.jp");
  EXPECT_EQ(row(R"({"email":"a@example.jp","insert_code":[{"key":"__a__","value":true}]})"),
            "a@example.jp|__a__=true");
}

TEST(JsonRow, NestsAsDeepAsTheBodyOfARequest) {
  const auto nested = [](std::size_t levels) {
    std::string line = R"({"email":"a@example.jp","data":)";
    for (std::size_t i = 0; i < levels; ++i) line += R"({"a":)";
    return line + "1" + std::string(levels + 1, '}');
  };
  const std::size_t most = http::JsonLimits{}.depth_max - 1;  // the row itself is one
  EXPECT_THAT(row(nested(27)), HasSubstr("|{{a.a."));
  EXPECT_THAT(row(nested(most)), HasSubstr("|{{a.a."));
  EXPECT_THAT(row(nested(most + 1)), HasSubstr("nested deeper than 32 levels"));
}

TEST(JsonRow, HasWhatIsAttached) {
  const auto read = read_json_row(
      R"({"email":"a@example.jp","reference":4711,"metadata":{"b":"x","a":"1","c":null}})", 3);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->problems.empty());
  EXPECT_EQ(read->request.attached,
            (Attached{.reference = "4711", .metadata = {{"b", "x"}, {"a", "1"}}}));
  for (const std::string_view wrong : {R"({"email":"a@example.jp","reference":["x"]})",
                                       R"({"email":"a@example.jp","metadata":{"a":1}})",
                                       R"({"email":"a@example.jp","metadata":[]})"}) {
    const auto bad = read_json_row(wrong, 3);
    ASSERT_TRUE(bad);
    EXPECT_FALSE(bad->problems.empty()) << wrong;
  }
}

TEST(JsonRow, NamesWhatIsWrong) {
  EXPECT_THAT(row(R"({"email":5})"), HasSubstr("[email: "));
  EXPECT_THAT(row(R"({"email":"a@example.jp","name":"x"})"), HasSubstr("[name: is no member"));
  EXPECT_THAT(row(R"({"email":"a@example.jp","insert_code":{}})"), HasSubstr("[insert_code: "));
  EXPECT_THAT(row(R"({"email":"a@example.jp","insert_code":[5]})"), HasSubstr("[insert_code.0: "));
  EXPECT_THAT(row(R"({"email":"a@example.jp","insert_code":[{"value":"x"}]})"),
              HasSubstr("[insert_code.0: has no key"));
  EXPECT_THAT(row(R"({"email":"a@example.jp","insert_code":[{"key":"__a__","value":[]}]})"),
              HasSubstr("[insert_code.0: "));
}

TEST(JsonRow, WhatIsNoObjectIsToldWithItsColumn) {
  EXPECT_EQ(row("[]"), "0! is no JSON object");
  EXPECT_THAT(row(R"({"email":)"), HasSubstr("! is no JSON that is taken: "));
  EXPECT_THAT(row(R"({"email":"a@example.jp"} x)"), HasSubstr("! is no JSON"));
  EXPECT_THAT(row(R"({"email":"a@example.jp","email":"b@example.jp"})"), HasSubstr("! is no JSON"));
  EXPECT_THAT(row("{\"email\":\"\xFF\"}"), HasSubstr("! is no JSON"));
  EXPECT_THAT(row("email,__a__"), HasSubstr("1! is no JSON"));
}

TEST(JsonRow, OfTooManyInsertCodesEnoughAreReadToBeSeen) {
  std::string line = R"({"email":"a@example.jp","insert_code":[)";
  for (int i = 0; i < 10; ++i)
    line += fmt::format(R"({}{{"key":"__a{}__"}})", i == 0 ? "" : ",", i);
  const auto read = read_json_row(line + "]}", 3);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->request.insert_codes.size(), 4U);
}

}  // namespace
}  // namespace todoku::intake
