// SPDX-License-Identifier: Apache-2.0
#include "intake/list_findings.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

store::NewRecipient to(const std::string& local, const std::string& domain,
                       std::vector<InsertCode> codes = {}) {
  return {.address = local + "@" + domain, .domain = domain, .insert_codes = std::move(codes)};
}

TEST(ListFindings, KeysOfAContentAreThoseThatStandInItsTexts) {
  Content content;
  content.subject = "__name__ and %%code%%";
  content.text_part = "__name__ __unsubscribe_url__ __a__b__ ____ _x_ 100%";
  content.html_part = "<p>%%code%%__html__</p>";
  EXPECT_THAT(keys_in(content), ElementsAre("__name__", "%%code%%", "__a__", "__b__", "__html__"));
  EXPECT_THAT(keys_in(content, 2), ElementsAre("__name__", "%%code%%"));
}

TEST(ListFindings, ACheckCountsDomainsAndMissingCodes) {
  ListCheck check({"__a__", "__b__"});
  check.count(to("a", "example.jp", {{"__a__", "x"}}));
  check.count(to("b", "example.com", {{"__a__", ""}, {"__b__", "y"}}));
  check.count(to("c", "example.jp"));
  check.count_suppressed(1);
  EXPECT_EQ(check.json({.malformed = 2, .duplicates = 4}),
            R"({"rows":9,"recipients":3,"malformed":2,"duplicates":4,"suppressed":1,)"
            R"("domains":[{"domain":"example.jp","recipients":2},)"
            R"({"domain":"example.com","recipients":1}],)"
            R"("other_domains":{"domains":0,"recipients":0},)"
            R"("codes":[{"key":"__a__","missing":1},{"key":"__b__","missing":2}]})");
}

TEST(ListFindings, OfATemplateAnEmptyOrBlankValueIsNone) {
  for (const bool from_template : {false, true}) {
    ListCheck check({"{{a}}"}, from_template);
    check.count(to("a", "example.jp", {{"{{a}}", "x"}}));
    check.count(to("b", "example.jp", {{"{{a}}", ""}}));
    check.count(to("c", "example.jp", {{"{{a}}", "\u3000 "}}));
    EXPECT_THAT(check.json({}),
                HasSubstr(fmt::format(R"("missing":{}}}])", from_template ? 2 : 0)));
  }
}

TEST(ListFindings, ManyDomainsAreToldTogetherAndBeyondAllThatAreRememberedAsOne) {
  ListCheck check({}, false, 150);
  for (int i = 0; i < 200; ++i) {
    check.count(to("a", fmt::format("d{:03}.example.jp", i)));
    check.count(to("b", fmt::format("d{:03}.example.jp", i)));
  }
  const std::string json = check.json({});
  EXPECT_THAT(json, HasSubstr(R"("domain":"d099.example.jp","recipients":2}],)"));
  EXPECT_THAT(json, HasSubstr(R"("other_domains":{"domains":51,"recipients":200})"));
}

TEST(ListFindings, AreShortWhateverTheListHolds) {
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back(fmt::format("__key{:013}__", i));
  ListCheck check(keys);
  for (int i = 0; i < 1'000; ++i) {
    check.count(to("a", fmt::format("{}{:04}.example.jp", std::string(230, 'd'), i)));
  }
  const ListFindings findings{.check = check.json({})};
  EXPECT_LT(json_of(findings).size(), store::kFindingsOctetsMax);
}

TEST(ListFindings, RowsWhoseAddressIsThereAlreadyAreCountedAndNamed) {
  AlreadyThere there(2);
  ASSERT_TRUE(there.compares());
  there.add("a@example.jp");
  there.add("b@example.jp");
  there.look_at("c@example.jp", 2);
  there.look_at("A@example.jp", 3);
  EXPECT_EQ(there.json(), R"({"compared":true,"recipients":1,"rows":[3]})");
  for (std::uint64_t row = 4; row < 40; ++row) there.look_at("b@example.jp", row);
  EXPECT_THAT(there.json(), HasSubstr(R"("recipients":37,"rows":[3,4,5,)"));
  EXPECT_THAT(there.json(), HasSubstr(",22]"));
  EXPECT_EQ(AlreadyThere(0).json(), "");
  EXPECT_FALSE(AlreadyThere(0).compares());
  EXPECT_EQ(AlreadyThere(AlreadyThere::kComparedMax + 1).json(),
            R"({"compared":false,"recipients":0,"rows":[]})");
}

TEST(ListFindings, TellHowAListWasRead) {
  EXPECT_EQ(
      json_of({.encoding = {mime::TextEncoding::shift_jis, EncodingBy::octets}, .separator = '\t'}),
      R"({"form":"csv","encoding":"shift_jis","encoding_by":"octets","separator":"tab"})");
  EXPECT_EQ(json_of({.form = store::ImportForm::ndjson, .check = "{}"}),
            R"({"form":"ndjson","encoding":"utf_8","check":{}})");
}

}  // namespace
}  // namespace todoku::intake
