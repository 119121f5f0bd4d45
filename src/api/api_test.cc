// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "api/answers.h"
#include "api/date_time.h"
#include "api/fields.h"
#include "http/json.h"

namespace todoku::api {
namespace {

TEST(DateTime, ReadsEveryFormThatClientsSend) {
  const auto expected = parse_date_time("2026-04-01T00:00:00Z");
  ASSERT_TRUE(expected);
  EXPECT_EQ(to_epoch_ms(*expected), 1'775'001'600'000);
  for (const std::string_view same :
       {"2026-04-01T09:00:00+09:00", "2026-04-01T09:00:00", "2026-04-01 09:00:00",
        "2026-04-01T09:00", "2026-04-01T00:00:00.000Z", "2026-04-01T09:00:00+0900",
        "2026-04-01T09:00:00+09", "2026-04-01T09:00:00 09:00", "2026-03-31T19:00:00-05:00",
        "2026/04/01 09:00:00"}) {
    EXPECT_EQ(parse_date_time(same), expected) << same;
  }
  EXPECT_EQ(parse_date_time("2026-04-01"), *expected - std::chrono::hours(9));
}

TEST(DateTime, RefusesWhatIsNone) {
  for (const std::string_view wrong :
       {"", "tomorrow", "2026-02-30T00:00:00Z", "2026-13-01", "2026-04-01T24:00:00",
        "2026-04-01T09:60:00", "2026-04-01T09:00:00+25:00", "2026-04-01T09:00:00Zx",
        "2026-04-01T09:00:00.Z", "20260401"}) {
    EXPECT_FALSE(parse_date_time(wrong)) << wrong;
  }
}

TEST(DateTime, WritesJstToTheSecond) {
  EXPECT_EQ(format_date_time(from_epoch_ms(1'775'001'600'999)), "2026-04-01T09:00:00+09:00");
}

TEST(ErrorBody, NestsByPathWithListPositionsAsKeys) {
  intake::Problems problems;
  problems.add({}, {"general", "全般"});
  problems.add({"subject"}, {"one", "一"});
  problems.add({"subject"}, {"two", "二"});
  problems.add({"to", "0", "insert_code", "0", "key"}, {"bad", "不正"});
  EXPECT_EQ(error_body(problems, Language::en),
            R"({"error_messages":{"main":["general"],"subject":["one","two"],)"
            R"("to":{"0":{"insert_code":{"0":{"key":["bad"]}}}}}})");
  EXPECT_EQ(error_body(problems, Language::ja),
            R"({"error_messages":{"main":["全般"],"subject":["一","二"],)"
            R"("to":{"0":{"insert_code":{"0":{"key":["不正"]}}}}}})");
}

TEST(LanguageOf, EnglishUnlessJapaneseComesFirst) {
  EXPECT_EQ(language_of(""), Language::en);
  EXPECT_EQ(language_of("ja-JP"), Language::ja);
  EXPECT_EQ(language_of("en-US,ja;q=0.5"), Language::en);
  EXPECT_EQ(language_of("ja,en-US;q=0.9"), Language::ja);
}

std::string problems_of(std::string_view text, Content& content) {
  http::JsonArena arena;
  const auto value = http::parse_json(text, arena);
  if (!value) return value.error().detail;
  intake::Problems problems;
  content = read_content(Fields(value->get_object(), {}, problems));
  return problems.empty() ? "" : error_body(problems, Language::en);
}

TEST(Fields, NullEmptyAndAbsentAreTheSame) {
  Content content;
  EXPECT_EQ(problems_of(R"({"from":{"email":"a@example.jp","name":null},"html_part":null,
                           "list_unsubscribe":{"mailto":null,"url":""},"reply_to":{},
                           "encode":"utf-8"})",
                        content),
            "");
  EXPECT_EQ(content.from.address, "a@example.jp");
  EXPECT_EQ(content.html_part, "");
  EXPECT_FALSE(content.reply_to);
  EXPECT_EQ(content.encode, Encoding::utf_8);
}

TEST(Fields, NamesWhatHasTheWrongType) {
  Content content;
  EXPECT_EQ(problems_of(R"({"from":"a@example.jp","subject":5,"encode":"EUC-JP"})", content),
            R"({"error_messages":{"encode":["\"EUC-JP\" is not one of UTF-8, ISO-2022-JP."],)"
            R"("from":["must be an object."],"subject":["must be a string."]}})");
}

}  // namespace
}  // namespace todoku::api
