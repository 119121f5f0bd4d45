// SPDX-License-Identifier: Apache-2.0
#include "http/json.h"

#include <gtest/gtest.h>

namespace todoku::http {
namespace {

std::string why_refused(std::string_view text, const JsonLimits& limits = {}) {
  JsonArena arena;
  const auto value = parse_json(text, arena, limits);
  return value ? "accepted" : value.error().detail;
}

TEST(ParseJson, ReadsWhatClientsSend) {
  JsonArena arena;
  const auto value = parse_json("\xEF\xBB\xBF {\"a\": [1, \"届\", null], \"a\": true}\r\n", arena);
  ASSERT_TRUE(value);
  EXPECT_TRUE(value->as_object().at("a").as_bool());
  EXPECT_EQ(why_refused("null"), "accepted");
  EXPECT_EQ(why_refused("{}"), "accepted");
}

TEST(ParseJson, SaysWhereTheMistakeIs) {
  EXPECT_EQ(why_refused(""), "JSON is empty");
  EXPECT_EQ(why_refused(" \n "), "JSON is empty");
  EXPECT_EQ(why_refused("{\"a\":\n  tru}"), "JSON has a mistake at line 2, column 3: syntax error");
  EXPECT_EQ(why_refused("{\"a\": 1"), "JSON ends too early, at line 1, column 8");
  EXPECT_EQ(why_refused("{} {}"), "JSON has a mistake at line 1, column 4: extra data");
  EXPECT_EQ(why_refused("{\"a\": NaN}").substr(0, 18), "JSON has a mistake");
  EXPECT_EQ(why_refused("\"\xFF\"").substr(0, 18), "JSON has a mistake");
}

TEST(ParseJson, KeepsToItsLimits) {
  EXPECT_EQ(why_refused(std::string(32, '[') + std::string(32, ']')), "accepted");
  EXPECT_EQ(why_refused(std::string(33, '[') + std::string(33, ']')),
            "JSON is nested deeper than 32 levels");
  EXPECT_EQ(why_refused(std::string(1'000'000, '[')), "JSON is nested deeper than 32 levels");
  EXPECT_EQ(why_refused("[1,2,3]", {.octets_max = 6}), "JSON is longer than 6 octets");
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, EscapesWhatMustBeAndReplacesWhatIsNoUtf8) {
  EXPECT_EQ(quoted("a\"b\\c\nd\te\x7F"), R"("a\"b\\c\nd\u0009e\u007f")");
  EXPECT_EQ(quoted("届く"), "\"届く\"");
  EXPECT_EQ(quoted("届\xFF"
                   "く\xE5"),
            "\"届\\ufffdく\\ufffd\"");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonWriter, PutsTheCommas) {
  JsonWriter json;
  json.begin_object();
  json.member("n", 12);
  json.member("s", "x");
  json.key("list");
  json.begin_array();
  json.value(true);
  json.value(1.5);
  json.begin_object();
  json.end_object();
  json.end_array();
  json.null_member("none");
  json.end_object();
  EXPECT_EQ(json.take(), R"({"n":12,"s":"x","list":[true,1.5,{}],"none":null})");
}

}  // namespace
}  // namespace todoku::http
