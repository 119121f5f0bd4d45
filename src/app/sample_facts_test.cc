// SPDX-License-Identifier: Apache-2.0
#include "app/sample_facts.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Three recipients: with a value, with an empty one, and with one of blanks alone.
delivery::DrawnLetter drawn(const std::string& text, const std::string& key) {
  delivery::DrawnLetter drawn;
  drawn.texts.text_part = text;
  for (const std::string_view value : {"x", "", "\u3000 "}) {
    auto& recipient = drawn.sample.emplace_back();
    recipient.address = "a@example.com";
    recipient.insert_codes.push_back({key, std::string(value)});
  }
  return drawn;
}

std::vector<std::string> told(const delivery::DrawnLetter& letter) {
  std::vector<std::string> all;
  for (const doctor::MissingCode& code : missing_codes(letter)) {
    all.push_back(fmt::format("{} {} {}", code.key, code.without, code.required));
  }
  return all;
}

TEST(SampleFacts, AnEmptyValueIsNoneWhereATemplateHasNoDefault) {
  auto letter = drawn("{{a}} {{b|you}}", "{{a}}");
  letter.texts.from_template = TemplatePin{.id = 1, .version = 1};
  EXPECT_THAT(told(letter), ElementsAre("{{a}} 2 true"));
  letter.texts.text_part = "{{a|you}}";
  EXPECT_THAT(told(letter), IsEmpty());
}

TEST(SampleFacts, ElsewhereAnEmptyValueIsOne) {
  EXPECT_THAT(told(drawn("__a__ __b__", "__a__")), ElementsAre("__b__ 3 false"));
}

}  // namespace
}  // namespace todoku::app
