// SPDX-License-Identifier: Apache-2.0
#include "mime/insert_code.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::mime {
namespace {

using Codes = std::vector<InsertCodeView>;

std::string substituted(std::string text, const Codes& codes) {
  InsertKeys keys;
  const CompiledText compiled(std::move(text), keys);
  InsertValues values;
  values.resolve(keys, codes);
  std::string out;
  compiled.append_to(out, values);
  return out;
}

// The rule in its plainest form: at each position, from the left, the recipient's key there.
std::string substituted_naively(std::string_view text, const Codes& codes) {
  std::string out;
  while (!text.empty()) {
    const auto hit = std::ranges::find_if(
        codes, [&](const InsertCodeView& code) { return text.starts_with(code.key); });
    if (hit != codes.end()) {
      out += hit->value;
      text.remove_prefix(hit->key.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

TEST(InsertKey, IsLettersAndDigitsBetweenTwoEqualDelimiters) {
  EXPECT_TRUE(validate_insert_key("__a__"));
  EXPECT_TRUE(validate_insert_key("%%Name01%%"));
  EXPECT_TRUE(validate_insert_key("__1234567890123456__"));
  EXPECT_EQ(validate_insert_key("name").error(), InsertKeyProblem::length);
  EXPECT_EQ(validate_insert_key("____").error(), InsertKeyProblem::length);
  EXPECT_EQ(validate_insert_key("__12345678901234567__").error(), InsertKeyProblem::length);
  EXPECT_EQ(validate_insert_key("plain").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key("__abc%%").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key("__a_b__").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key("_____").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key("__名__").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key("__a__ ").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key(" __a__").error(), InsertKeyProblem::format);
}

TEST(CompiledText, ReplacesKeysWhereverTheyStand) {
  const Codes codes{{"__name__", "山田"}, {"%%point%%", "1,200"}};
  EXPECT_EQ(substituted("__name__様 %%point%%pt、__name__", codes), "山田様 1,200pt、山田");
  EXPECT_EQ(substituted("x__name__x%%point%%", codes), "x山田x1,200");
  EXPECT_EQ(substituted("", codes), "");
}

TEST(CompiledText, LeavesKeysWithoutValueAndOtherCaseAlone) {
  const Codes codes{{"__name__", "X"}};
  EXPECT_EQ(substituted("__NAME__ __other__ %%name%% __name_ _name__", codes),
            "__NAME__ __other__ %%name%% __name_ _name__");
  EXPECT_EQ(substituted("100%% 50%%", codes), "100%% 50%%");
}

TEST(CompiledText, NeverLooksThroughValues) {
  const Codes codes{{"__a__", "__b__"}, {"__b__", "__a__"}, {"__c__", ""}};
  EXPECT_EQ(substituted("__a____b____c__.", codes), "__b____a__.");
}

TEST(CompiledText, TakesTheLeftmostOfTwoKeysThatShareADelimiter) {
  EXPECT_EQ(substituted("__a__b__", {{"__a__", "1"}, {"__b__", "2"}}), "1b__");
  EXPECT_EQ(substituted("__a__b__", {{"__b__", "2"}}), "__a2");
  EXPECT_EQ(substituted("___a___", {{"__a__", "1"}}), "_1_");
  EXPECT_EQ(substituted("__a__b__c__", {{"__b__", "2"}, {"__c__", "3"}}), "__a2c__");
}

TEST(CompiledText, TheFirstOfTwoValuesForOneKeyCounts) {
  EXPECT_EQ(substituted("__a__", {{"__a__", "1"}, {"__a__", "2"}}), "1");
}

TEST(CompiledText, MakesValuesFitForTheBody) {
  EXPECT_EQ(substituted("[__a__]", {{"__a__", "x\ny\r\nz\rw"}}), "[x\r\ny\r\nz\r\nw]");
  EXPECT_EQ(substituted("[__a__]", {{"__a__",
                                     "\xFF"
                                     "ok"}}),
            "[\xEF\xBF\xBD"
            "ok]");
}

TEST(CompiledText, EqualsTheNaiveSubstitutionOnAnyText) {
  const std::uint64_t seed = 20260101;
  SeededRandom random(seed);
  constexpr std::array<std::string_view, 10> kPieces{"__", "%%",    "a",     "b",      "_",
                                                     "%",  "__a__", "%%b%%", "__ab__", "x"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::uint64_t i = random.below(14); i > 0; --i) text += kPieces[random.below(10)];
    Codes codes;
    for (const std::string_view key : {"__a__", "%%b%%", "__ab__", "%%a%%", "__b__"}) {
      if (random.below(2) == 0) codes.push_back({key, random.below(2) == 0 ? "__a__" : "v"});
    }
    ASSERT_EQ(substituted(text, codes), substituted_naively(text, codes))
        << "seed " << seed << ", round " << round << ", text " << text;
  }
}

TEST(InsertValues, KeepNothingOfTheRecipientBefore) {
  InsertKeys keys;
  const CompiledText text("__a__", keys);
  InsertValues values;
  for (const Codes& codes : {Codes{{"__a__", "first\n"}}, Codes{}}) {
    values.resolve(keys, codes);
    std::string out;
    text.append_to(out, values);
    EXPECT_EQ(out, codes.empty() ? "__a__" : "first\r\n");
  }
}

// ---- codes in braces ---------------------------------------------------------------------------

std::string in_template(std::string text, const Codes& codes, ValueForm form = ValueForm::body) {
  InsertKeys keys;
  const CompiledText compiled(std::move(text), keys, KeyForms::with_braces);
  InsertValues values;
  values.resolve(keys, codes, {.plain = false, .html = true});
  std::string out;
  compiled.append_to(out, values, form);
  return out;
}

TEST(BraceCodes, AreReplacedHoweverTheyAreWrittenAndBesideTheContractsOwn) {
  const Codes codes{{"{{first_name}}", "Hanako"}, {"__no__", "7"}};
  EXPECT_EQ(in_template("{{first_name}}/{{ first_name }}/{{first_name|friend}}/__no__", codes),
            "Hanako/Hanako/Hanako/7");
  EXPECT_EQ(substituted("{{first_name}} __no__", codes), "{{first_name}} 7")
      << "without a template braces are text";
}

TEST(BraceCodes, HaveTheirDefaultWhereThereIsNoValue) {
  EXPECT_EQ(in_template("{{first_name|お客様}}さん", {}), "お客様さん");
  EXPECT_EQ(in_template("[{{a|}}]", {}), "[]");
  EXPECT_EQ(in_template("{{a|x}}{{a|y}}{{a}}", {}), "xy{{a}}");
  EXPECT_EQ(in_template("{{a|x}}{{a}}", {{"{{a}}", ""}}), "x") << "an empty cell of a list";
  EXPECT_EQ(in_template("{{a|x}}", {{"{{a}}", " \u200B\u3000"}}), "x") << "nobody sees it";
  EXPECT_EQ(in_template("{{a|x}}", {{"{{a}}", " y "}}), " y ");
  EXPECT_EQ(in_template("{{a|__b__}}", {{"__b__", "v"}}), "__b__")
      << "nothing within a code is a key";
}

TEST(BraceCodes, KnowNoLogic) {
  for (const std::string_view text :
       {"{{#if a}}", "{{/if}}", "{{else}}", "{{>part}}", "{{{a}}}", "{{a b}}", "{{^a}}", "{{}}",
        "{{a|x\r\ny}}", "{{a", "{{_a}}", "{{名}}"}) {
    EXPECT_FALSE(brace_code_at(text)) << text;
    EXPECT_EQ(unreadable_braces(std::string("x{{a}}") + std::string(text)).substr(0, 2), "{{")
        << text;
  }
  EXPECT_EQ(unreadable_braces("{{a}} {b} {{ c | d }} }}"), "");
  EXPECT_EQ(unreadable_braces("a {{#if order}}b{{/if}}"), "{{#if order}}");
}

TEST(BraceCodes, InADefaultAreFound) {
  EXPECT_EQ(code_in_default("Hello {{a|{{b}}}}, bye"), "{{a|{{b}}");
  EXPECT_EQ(code_in_default("{{b}} {{{ {{a|__name__}}"), "{{a|__name__}}");
  EXPECT_EQ(code_in_default("{{a|100 %%x%% more}}"), "{{a|100 %%x%% more}}");
  EXPECT_EQ(code_in_default(R"(<a href="{{u|__unsubscribe_url__}}">)"),
            "{{u|__unsubscribe_url__}}");
  EXPECT_EQ(code_in_default("{{a|" + std::string(60, 'x') + "{{b}}").size(), 40U);
  for (const std::string_view sound :
       {"{{a|x}} {{b}} __name__ %%c%%", "{{a|_x_ 5 % {y}}} {{b", "{{a|}}__b__", ""}) {
    EXPECT_EQ(code_in_default(sound), "") << sound;
  }
}

TEST(BraceCodes, AreValidKeysUpToTheirLimit) {
  EXPECT_TRUE(validate_insert_key("{{a}}"));
  EXPECT_TRUE(validate_insert_key("{{user.first-name_1}}"));
  EXPECT_TRUE(validate_insert_key("{{" + std::string(64, 'a') + "}}"));
  EXPECT_EQ(validate_insert_key("{{" + std::string(65, 'a') + "}}").error(),
            InsertKeyProblem::length);
  EXPECT_EQ(validate_insert_key("{{ a }}").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key("{{a|b}}").error(), InsertKeyProblem::format);
  EXPECT_EQ(validate_insert_key("{{else}}").error(), InsertKeyProblem::format);
}

TEST(BraceCodes, AreToldWithWhetherTheyNeedAValue) {
  std::vector<CodeUse> uses;
  add_code_uses("{{a|x}} {{b}} {{b|y}} __c__ __unsubscribe_url__", KeyForms::with_braces, uses, 10);
  add_code_uses("{{a|z}}", KeyForms::with_braces, uses, 10);
  ASSERT_EQ(uses.size(), 3U);
  EXPECT_TRUE(uses[0].key == "{{a}}" && uses[0].has_default);
  EXPECT_TRUE(uses[1].key == "{{b}}" && !uses[1].has_default) << "once it has none";
  EXPECT_TRUE(uses[2].key == "__c__" && !uses[2].has_default);
}

TEST(BraceCodes, StandEscapedInHtml) {
  const Codes codes{{"{{a}}", "<b>\"A\" & 'B'</b>"}};
  EXPECT_EQ(in_template("<p>{{a}}</p>{{b|<i>x</i>}}", codes, ValueForm::html),
            "<p>&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;</p><i>x</i>")
      << "a default is its author's markup";
}

}  // namespace
}  // namespace todoku::mime
