// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/answers.h"
#include "api/fields.h"
#include "api/members.h"
#include "base/date_time.h"
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
        "2026/04/01 09:00:00", "2026/4/1 9:00", "2026-4-01T9:00:00"}) {
    EXPECT_EQ(parse_date_time(same), expected) << same;
  }
  EXPECT_EQ(parse_date_time("2026-04-01"), *expected - std::chrono::hours(9));
}

TEST(DateTime, RefusesWhatIsNone) {
  for (const std::string_view wrong :
       {"", "tomorrow", "2026-02-30T00:00:00Z", "2026-13-01", "2026-04-01T24:00:00",
        "2026-04-01T09:60:00", "2026-04-01T09:00:00+25:00", "2026-04-01T09:00:00Zx",
        "2026-04-01T09:00:00.Z", "20260401", "2026/4/", "2026//1", "2026/4/1 9:0", "2026/0/1",
        "2026/4/001"}) {
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
  EXPECT_EQ(error_body(problems, Language::english),
            R"({"error_messages":{"main":["general"],"subject":["one","two"],)"
            R"("to":{"0":{"insert_code":{"0":{"key":["bad"]}}}}}})");
  EXPECT_EQ(error_body(problems, Language::japanese),
            R"({"error_messages":{"main":["全般"],"subject":["一","二"],)"
            R"("to":{"0":{"insert_code":{"0":{"key":["不正"]}}}}}})");
}

TEST(ErrorBody, TellsAHundredProblemsAndHowManyThereAreBeyond) {
  intake::Problems problems;
  for (int i = 0; i < 1'334; ++i) problems.add({"cc", std::to_string(i)}, {"bad", "不正"});
  const std::string body = error_body(problems, Language::english);
  EXPECT_TRUE(body.ends_with(R"("main":["and 1,234 more."]}})")) << body.substr(body.size() - 60);
  EXPECT_LT(body.size(), 3'000U);
  EXPECT_NE(error_body(problems, Language::japanese).find("ほかに1,234件の問題があります。"),
            std::string::npos);
}

TEST(Problems, WhatIsToldOfAFieldIsNotToldOfItsParts) {
  intake::Problems problems;
  problems.add({}, {"general", ""});
  problems.add({"from"}, {"must be an object.", ""});
  problems.add({"to", "1"}, {"must be an object.", ""});
  intake::Problems later;
  later.add({"from", "email"}, {"is required.", ""});
  later.add({"to", "1", "email"}, {"is required.", ""});
  later.add({"to", "11", "email"}, {"is required.", ""});
  later.add({"subject"}, {"is required.", ""});
  later.add({"subject"}, {"another", ""});
  problems.add_others(std::move(later));
  EXPECT_EQ(error_body(problems, Language::english),
            R"({"error_messages":{"from":["must be an object."],"main":["general"],)"
            R"("subject":["is required.","another"],)"
            R"("to":{"1":["must be an object."],"11":{"email":["is required."]}}}})");
}

TEST(Texts, RepeatNoMoreThanItTakesToRecogniseIt) {
  const std::string given(1'000'000, 'x');
  for (const intake::Text& text :
       {intake::texts::invalid_format(given), intake::texts::duplicate_key(given),
        intake::texts::not_one_of(given, "a"), intake::texts::refused_extension(given),
        intake::texts::invalid_date(given)}) {
    EXPECT_LT(text.en.size(), 300U);
    EXPECT_LT(text.ja.size(), 300U);
  }
}

TEST(ContainerFailure, IsToldWhereClientsLookForErrors) {
  http::Request request;
  request.path = "/nothing";
  const http::Failure failure{.status = 404, .reason = "there is nothing at this path"};
  EXPECT_EQ(container_failure(failure, request).body,
            R"({"status":404,"error":"Not Found","message":"there is nothing at this path",)"
            R"("path":"/nothing","error_messages":{"main":["there is nothing at this path"]}})");
  request.headers.add("Accept-Language", "ja");
  for (const int status : {400, 404, 405, 408, 411, 413, 414, 415, 431, 500, 501, 503}) {
    const auto response = container_failure({.status = status, .reason = "why"}, request);
    EXPECT_EQ(response.body.find("why"), std::string::npos) << status << ", in message as well";
    EXPECT_NE(response.body.find("。"), std::string::npos) << status;
  }
}

TEST(ContainerFailure, SaysInBothLanguagesWhatToSendInstead) {
  http::Request request;
  const intake::Text reason{"send JSON", "JSONで送信してください。"};
  EXPECT_TRUE(container_failure(415, reason, request).body.contains(R"("message":"send JSON")"));
  request.headers.add("Accept-Language", "ja");
  const auto body = container_failure(415, reason, request).body;
  EXPECT_TRUE(body.contains(R"("message":"JSONで送信してください。")")) << body;
  EXPECT_TRUE(body.contains(R"("main":["JSONで送信してください。"])")) << body;
  EXPECT_TRUE(container_failure({.status = 415, .reason = "why"}, request)
                  .body.contains("application/jsonまたはmultipart/form-data"));
}

std::string lost_members(std::string_view text, std::span<const Member> known) {
  http::JsonArena arena;
  const auto value = http::parse_json(text, arena);
  if (!value) return value.error().detail;
  intake::Problems problems;
  refuse_lost_members(value->get_object(), known, problems);
  return problems.empty() ? "" : error_body(problems, Language::english);
}

TEST(LostMembers, OfTheContractAreToleratedAndOursAreNot) {
  using namespace members;
  for (const char* slip : {"duplicatePolicy", "DUPLICATE_POLICY", "duplicate-policy",
                           "_duplicate policy", "duplicatepolicy"}) {
    const std::string text = fmt::format(R"({{"{}":"at_most_once"}})", slip);
    EXPECT_EQ(lost_members(text, kTransaction),
              fmt::format(R"({{"error_messages":{{"duplicate_policy":["is written \"{}\" here; )"
                          R"(write duplicate_policy."]}}}})",
                          slip));
    EXPECT_NE(lost_members(text, kCommit), "");
  }
  for (const char* fine :
       {R"({"replyTo":{},"insert_codes":[],"Subject":"s","duplicate_policies":1,"policy":"x"})",
        R"({"duplicatePolicy":null})", R"({"duplicate_policy":"x","duplicatePolicy":"x"})",
        R"({"keep_duplicates":true})", "{}"}) {
    EXPECT_EQ(lost_members(fine, kBegin), "") << fine;
  }
  EXPECT_NE(lost_members(R"({"keepDuplicates":true})", kImport), "");
  for (const char* slip : {"openTracking", "listId", "Tags", "PURPOSE"}) {
    EXPECT_NE(lost_members(fmt::format(R"({{"{}":false}})", slip), kTransaction), "") << slip;
  }
  EXPECT_EQ(lost_members(R"({"tags":["a"],"list_id":"x"})", kCommit), "") << "told as unknown";
  EXPECT_NE(lost_members(R"({"attachments":[{"content":"aGk="}]})", kTransaction), "");
  EXPECT_NE(lost_members(R"({"attachments":[{}]})", kBegin), "");
  EXPECT_EQ(lost_members(R"({"attachments":[]})", kTransaction), "");
  EXPECT_NE(lost_members(R"({"reservation_time":"2026-12-24"})", kTransaction), "");
  EXPECT_EQ(lost_members(R"({"reservation_time":"2026-12-24"})", kCommit), "");
  for (const auto known : {std::span<const Member>(kCommit), std::span<const Member>(kImport),
                           std::span<const Member>(kRecipient)}) {
    EXPECT_TRUE(lost_members(R"({"duplicate_policy":"at_most_once"})", known)
                    .contains("belongs to the request that begins the delivery"));
  }
}

TEST(LanguageOf, EnglishUnlessJapaneseIsPreferred) {
  EXPECT_EQ(language_of(""), Language::english);
  EXPECT_EQ(language_of("ja-JP"), Language::japanese);
  EXPECT_EQ(language_of("en-US,ja;q=0.5"), Language::english);
  EXPECT_EQ(language_of("ja,en-US;q=0.9"), Language::japanese);
  EXPECT_EQ(language_of("en;q=0.5, ja;q=0.8"), Language::japanese);
  EXPECT_EQ(language_of("JA-jp; q=1.0"), Language::japanese);
  EXPECT_EQ(language_of("fr, *;q=0.1, ja;q=0.2"), Language::japanese);
  EXPECT_EQ(language_of("ja;q=0"), Language::english);
  EXPECT_EQ(language_of("az-ja, en;q=x"), Language::english);
}

std::string problems_of(std::string_view text, Content& content) {
  http::JsonArena arena;
  const auto value = http::parse_json(text, arena);
  if (!value) return value.error().detail;
  intake::Problems problems;
  content = read_content(Fields(value->get_object(), {}, problems));
  return problems.empty() ? "" : error_body(problems, Language::english);
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

TEST(Fields, ListsAreJudgedBeforeTheirElements) {
  http::JsonArena arena;
  const auto value = http::parse_json(
      R"({"cc":[1,1,1],"bcc":["a",1],"insert_code":[{"value":"v"},{"key":"","value":[5]}]})",
      arena);
  ASSERT_TRUE(value);
  intake::Problems problems;
  const Fields fields(value->get_object(), {}, problems);
  EXPECT_TRUE(fields.texts("cc", 2).empty());
  EXPECT_EQ(fields.texts("bcc", 2).size(), 2U);
  EXPECT_EQ(fields.insert_codes(2).size(), 2U);
  EXPECT_EQ(
      error_body(problems, Language::english),
      R"({"error_messages":{"bcc":{"1":["must be a string."]},)"
      R"("cc":["must not have more than 2 entries."],)"
      R"("insert_code":{"0":{"key":["is required."]},"1":{"value":["must be a string, a number or a boolean."]}}}})");
}

}  // namespace
}  // namespace todoku::api
