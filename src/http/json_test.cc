// SPDX-License-Identifier: Apache-2.0
#include "http/json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>

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
  const auto value = parse_json("\xEF\xBB\xBF {\"a\": [1, \"届\", null], \"b\": true}\r\n", arena);
  ASSERT_TRUE(value);
  EXPECT_TRUE(value->as_object().at("b").as_bool());
  EXPECT_EQ(why_refused("null"), "accepted");
  EXPECT_EQ(why_refused("{}"), "accepted");
}

TEST(ParseJson, LeavesNothingInAnArenaThatIsWiped) {
  alignas(JsonArena) std::array<std::byte, sizeof(JsonArena)> place{};
  // Eight in a row: one alone may be an octet of an address, which differs from run to run.
  constexpr std::array<std::byte, 8> mark = {std::byte{'#'}, std::byte{'#'}, std::byte{'#'},
                                             std::byte{'#'}, std::byte{'#'}, std::byte{'#'},
                                             std::byte{'#'}, std::byte{'#'}};
  const auto is_marked = [&] { return !std::ranges::search(place, mark).empty(); };
  auto* const arena = new (place.data()) JsonArena(JsonArena::Wiped());
  {
    const auto value = parse_json("{\"key\": \"" + std::string(500, '#') + "\"}", *arena);
    ASSERT_TRUE(value);
    EXPECT_EQ(value->as_object().at("key").as_string(), std::string(500, '#'));
    ASSERT_TRUE(is_marked());
  }
  arena->~JsonArena();
  EXPECT_FALSE(is_marked());
}

TEST(ParseJson, SaysWhereTheMistakeIs) {
  EXPECT_EQ(why_refused(""), "JSON is empty");
  EXPECT_EQ(why_refused(" \n "), "JSON is empty");
  EXPECT_EQ(why_refused("{\"a\":\n  tru}"), "JSON has a mistake at line 2, column 3");
  EXPECT_EQ(why_refused("{\"a\": 1"), "JSON ends too early, at line 1, column 8");
  EXPECT_EQ(why_refused("{} {}"), "JSON has a mistake at line 1, column 4");
  EXPECT_EQ(why_refused("{\"a\": NaN}").substr(0, 18), "JSON has a mistake");
}

TEST(ParseJson, SaysWhereItIsNoUtf8) {
  EXPECT_EQ(why_refused("\"\xFF\""), "JSON is not valid UTF-8 at octet 1 (line 1, column 2)");
  EXPECT_EQ(why_refused("{\"a\":\n\"\x8C\x8F\"}"),
            "JSON is not valid UTF-8 at octet 7 (line 2, column 2)");
  EXPECT_EQ(why_refused("\"\xE5\x90"), "JSON is not valid UTF-8 at octet 1 (line 1, column 2)");
  EXPECT_EQ(why_refused("\"\xED\xA0\x80\""),
            "JSON is not valid UTF-8 at octet 1 (line 1, column 2)");
  EXPECT_EQ(why_refused("\xFF\xFE{"), "JSON is not valid UTF-8 at octet 0 (line 1, column 1)");
  EXPECT_EQ(why_refused("{x \xFF"), "JSON is not valid UTF-8 at octet 3 (line 1, column 4)");
}

TEST(ParseJson, RefusesAMemberThatIsThereTwice) {
  EXPECT_EQ(why_refused(R"({"to": 1, "a": {"to": 2}, "to": 3})"),
            "JSON has the member \"to\" twice in one object, at line 1, column 30");
  EXPECT_EQ(why_refused(R"([{"k": 1}, {"k": 2}, {"k": {"k": {"k": 3}}}])"), "accepted");
  EXPECT_EQ(why_refused(R"([[{"k": 1, "\u006b": 2}]])").substr(0, 23), "JSON has the member \"k\"");
  const std::string name(1'000, 'n');
  const std::string told = why_refused("{\"" + name + "\":1,\"" + name + "\":2}");
  EXPECT_LT(told.size(), 200U);
}

TEST(ParseJson, KeepsOfAnArrayWhatIsNeededToSeeThatItIsTooLong) {
  JsonArena arena;
  const auto value =
      parse_json(R"({"cc": [1, [2, [3]], {"x": {}}, "four", ["five"], {"a":[],"a":[]}, 7],)"
                 R"( "to": "x", "bcc": [1, 2, 3]})",
                 arena, {.elements_max = 3});
  ASSERT_TRUE(value) << value.error().detail;
  EXPECT_EQ(value->at("cc").as_array().size(), 4U);
  EXPECT_EQ(value->at("cc").at(1).at(1).at(0).as_int64(), 3);
  EXPECT_EQ(value->at("cc").at(3).as_string(), "four");
  EXPECT_EQ(value->at("bcc").as_array().size(), 3U);
  EXPECT_EQ(value->at("to").as_string(), "x");
}

TEST(JsonReader, ReadsTheSameInStepsOfAnySize) {
  const std::string text =
      R"( {"long key that is cut": "a text \u5c4a 届 \ud83d\ude00", "n": [-12.5e1, 18446744073709551615],)"
      R"( "list": ["one", "two", ["three", 4], "five"], "t": true, "f": false, "z": null} )";
  JsonArena arena;
  const JsonLimits limits{.elements_max = 2};
  const auto whole = parse_json(text, arena, limits);
  ASSERT_TRUE(whole) << whole.error().detail;
  for (std::size_t step = 1; step < text.size(); ++step) {
    JsonReader reader(text, arena, limits);
    auto done = reader.read_on(step);
    while (done && !*done) done = reader.read_on(step);
    ASSERT_TRUE(done) << step << done.error().detail;
    EXPECT_EQ(reader.take(), *whole) << step;
  }
}

TEST(ParseJson, KeepsToItsLimits) {
  EXPECT_EQ(why_refused(std::string(32, '[') + std::string(32, ']')), "accepted");
  EXPECT_EQ(why_refused(std::string(33, '[') + std::string(33, ']')),
            "JSON is nested deeper than 32 levels");
  EXPECT_EQ(why_refused(std::string(1'000'000, '[')), "JSON is nested deeper than 32 levels");
  EXPECT_EQ(why_refused("[1,2,3]", {.octets_max = 6}), "JSON is longer than 6 octets");
  EXPECT_EQ(why_refused(R"({"a":1,"b":2,"c":3})", {.members_max = 2}).substr(0, 42),
            "JSON has an object of more than 2 members,");
}

TEST(JsonReader, MayBeInterruptedAnywhereInALongString) {
  for (const std::string_view character :
       {"\u672C", "\\u672c", "\U0001F600", "\\ud83d\\ude00", "\\\\", "\\n", "x", "x\\\\"}) {
    for (const std::string_view member : {R"({"":")", R"({")"}) {
      for (std::size_t shift = 0; shift < 13; ++shift) {
        std::string text = std::string(member) + std::string(shift, 's');
        while (text.size() < 20'000) text += character;
        text += member == R"({")" ? "\":1}" : "\"}";
        JsonArena arena;
        JsonReader reader(text, arena);
        auto done = reader.read_on(5'000);
        while (done && !*done) done = reader.read_on(5'000);
        ASSERT_TRUE(done) << character << done.error().detail;
        EXPECT_EQ(reader.take(), parse_json(text, arena).value()) << character << shift;
      }
    }
  }
}

std::string as_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, EscapesWhatMustBeAndReplacesWhatIsNoUtf8) {
  EXPECT_EQ(as_string("a\"b\\c\nd\te\x7F"), R"("a\"b\\c\nd\u0009e\u007f")");
  EXPECT_EQ(as_string("届く"), "\"届く\"");
  EXPECT_EQ(as_string("届\xFF"
                      "く\xE5"),
            "\"届\\ufffdく\\ufffd\"");
  EXPECT_EQ(as_string(std::string_view("\0", 1)), R"("\u0000")");
}

// Wherever in a text it stands, and whatever stands beside it.
TEST(JsonString, EscapesEachOctetAtEachPlace) {
  for (int octet = 0; octet < 0x80; ++octet) {
    const std::string one(1, static_cast<char>(octet));
    const std::string alone = as_string(one);
    const bool is_plain = octet >= 0x20 && octet != '"' && octet != '\\' && octet != 0x7F;
    EXPECT_EQ(alone == "\"" + one + "\"", is_plain) << octet;
    const std::string escaped = alone.substr(1, alone.size() - 2);
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string lead(before, 'a');
      EXPECT_EQ(as_string(lead + one + "12345678"), "\"" + lead + escaped + "12345678\"");
      EXPECT_EQ(as_string(lead + one + "!\x1F"), "\"" + lead + escaped + "!\\u001f\"");
      EXPECT_EQ(as_string(lead + "届" + one), "\"" + lead + "届" + escaped + "\"");
      EXPECT_EQ(as_string(lead + one + "\xE5"), "\"" + lead + escaped + "\\ufffd\"");
    }
  }
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
  json.member("a\n\"", 1);  // names come from requests, too
  json.end_object();
  EXPECT_EQ(json.take(), R"({"n":12,"s":"x","list":[true,1.5,{}],"none":null,"a\n\"":1})");
}

TEST(JsonReader, KeepsNumbersAsTheyWereWritten) {
  for (const std::string_view written :
       {"-0", "100.00", "1e2", "12345678901234567890123", "-0.0"}) {
    for (std::size_t step = 1; step < 8; ++step) {
      JsonArena arena;
      const std::string text = "[" + std::string(written) + ",7]";
      JsonReader reader(text, arena, {.keeps_literals = true});
      for (;;) {
        const auto read = reader.read_on(step);
        ASSERT_TRUE(read) << written;
        if (*read) break;
      }
      const boost::json::value value = reader.take();
      EXPECT_EQ(number_literal(value.as_array().at(0)), written);
      EXPECT_EQ(value.as_array().at(1).as_int64(), 7);
    }
  }
  JsonArena arena;
  const auto plain = parse_json("[-0,0]", arena, {.keeps_literals = true});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->as_array().at(1).as_int64(), 0);
}

}  // namespace
}  // namespace todoku::http
