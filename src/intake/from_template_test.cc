// SPDX-License-Identifier: Apache-2.0
#include "intake/from_template.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

std::string told_paths(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems.list()) {
    for (const std::string& step : problem.path) out += step + ".";
    out += ' ';
  }
  return out;
}

store::NewTemplate good_template() {
  store::NewTemplate wanted{.name = "welcome", .content = {}};
  wanted.content.subject = "{{first_name|お客様}}へ";
  wanted.content.text_part = "{{first_name}} __no__";
  wanted.content.escape = Escape::html;
  return wanted;
}

std::string template_problems(store::NewTemplate wanted) {
  Problems problems;
  check_template(wanted, Limits{}, problems);
  return told_paths(problems);
}

TEST(CheckTemplate, TakesOneWithoutASender) {
  store::NewTemplate wanted = good_template();
  Problems problems;
  check_template(wanted, Limits{}, problems);
  EXPECT_EQ(told_paths(problems), "");
  EXPECT_EQ(wanted.content.from.address, "");
}

TEST(CheckTemplate, NamesWhatIsNoCode) {
  store::NewTemplate wanted = good_template();
  wanted.content.subject = "{{#if a}}x{{/if}}";
  wanted.content.text_part = "{{{raw}}}";
  wanted.content.html_part = "{{else}}";
  EXPECT_EQ(template_problems(wanted), "subject. text_part. html_part. ");
  wanted = good_template();
  wanted.content.text_part.clear();
  wanted.content.html_part = "<p>{{a|x<br>y}}</p>";
  EXPECT_EQ(template_problems(wanted), "html_part. ") << "no code is left in the text made of it";
  wanted.content.html_part = "<p>{{a|x &amp; y}}</p>";
  EXPECT_EQ(template_problems(wanted), "");
}

TEST(CheckTemplate, NothingIsPutIntoASender) {
  store::NewTemplate wanted = good_template();
  for (const char* const name : {"{{shop|X}}", "Shop {{y}}", "__z__", "%%z%%"}) {
    wanted.content.from = {"shop@example.jp", name};
    EXPECT_EQ(template_problems(wanted), "from.name. ") << name;
  }
  wanted.content.from = {"{{shop}}@example.jp", "Shop"};
  EXPECT_EQ(template_problems(wanted), "from.email. ");
  wanted.content.from = {"the_shop@example.jp", "Shop {1} 50 % _x_"};
  EXPECT_EQ(template_problems(wanted), "");
}

TEST(CheckTemplate, NothingIsPutIntoADefault) {
  store::NewTemplate wanted = good_template();
  wanted.content.subject = "Hello {{a|{{b}}}}, bye";
  wanted.content.text_part = "{{a|__name__}}";
  wanted.content.html_part = R"(<a href="{{u|__unsubscribe_url__}}">x</a>)";
  EXPECT_EQ(template_problems(wanted), "subject. text_part. html_part. ");
  wanted = good_template();
  wanted.content.text_part.clear();
  wanted.content.html_part = "<p>{{a|%%<b>name</b>%%}}</p>";
  EXPECT_EQ(template_problems(wanted), "html_part. ") << "in the text made of it";
}

TEST(CheckTemplate, HasALimitOfCodesAndARuleForNames) {
  store::NewTemplate wanted = good_template();
  wanted.name = "123";
  EXPECT_EQ(template_problems(wanted), "name. ");
  wanted.name = "";
  EXPECT_EQ(template_problems(wanted), "name. ");
  wanted = good_template();
  for (int i = 0; i < 60; ++i) wanted.content.text_part += "{{a" + std::to_string(i) + "}}";
  EXPECT_EQ(template_problems(wanted), " ");
}

TEST(PutTemplate, GivesTheTextsAndTheVersionAndRefusesOthers) {
  store::Template from{.head = {.id = 7}, .version = 3, .made = {}, .content = {}};
  from.content = good_template().content;
  from.content.from = {"shop@example.jp", "Shop"};
  Content content;
  Problems problems;
  put_template(from, {}, content, problems);
  EXPECT_EQ(told_paths(problems), "");
  EXPECT_EQ(content.from.address, "shop@example.jp");
  EXPECT_EQ(content.subject, from.content.subject);
  EXPECT_EQ(content.escape, Escape::html);
  EXPECT_EQ(content.from_template, (TemplatePin{7, 3}));
  Content own;
  own.from = {"other@example.jp", ""};
  own.subject = "mine";
  put_template(from, {.choice = {}, .escape = Escape::none}, own, problems);
  EXPECT_EQ(told_paths(problems), "subject. ");
  EXPECT_EQ(own.from.address, "other@example.jp");
  EXPECT_EQ(own.escape, Escape::none);
}

std::string lacking(const Content& content, const std::vector<InsertCode>& codes) {
  Problems problems;
  CodesWanted(content).check(codes, {"to", "0"}, problems);
  return told_paths(problems);
}

TEST(CodesWanted, AreThoseWithoutDefault) {
  Content content = good_template().content;
  content.from_template = TemplatePin{1, 1};
  EXPECT_EQ(lacking(content, {}), "to.0.data.first_name. to.0.insert_code. ")
      << "once it has no default";
  EXPECT_EQ(lacking(content, {{"{{first_name}}", "a"}, {"__no__", "1"}, {"{{more}}", ""}}), "");
  for (const char* const blank : {"", " ", "\u200B\u3000"}) {
    EXPECT_EQ(lacking(content, {{"{{first_name}}", blank}, {"__no__", blank}}),
              "to.0.data.first_name. to.0.insert_code. ")
        << "nobody sees it";
  }
  content.text_part = "x";
  EXPECT_EQ(lacking(content, {}), "");
  EXPECT_EQ(lacking(content, {{"{{first_name}}", " "}}), "") << "the default stands";
}

TEST(CodesWanted, InBracesAreOfTemplatesOnly) {
  const Content content = good_template().content;
  EXPECT_EQ(lacking(content, {{"__x__", "1"}}), "");
  EXPECT_EQ(lacking(content, {{"{{first_name}}", "1"}}), "to.0.data.first_name. ");
}

std::string read_data(std::string_view json, std::string& paths, std::size_t max = 50) {
  std::vector<InsertCode> codes;
  Problems problems;
  read_template_data(boost::json::parse(json).as_object(), {"data"}, max, codes, problems);
  paths = told_paths(problems);
  std::string out;
  for (const InsertCode& code : codes) out += code.key + "=" + code.value + " ";
  return out;
}

TEST(ReadTemplateData, TakesValuesOfObjectsWithinObjects) {
  std::string paths;
  EXPECT_EQ(read_data(R"({"a":"x","n":7,"t":true,"none":null,"user":{"name":"y"}})", paths),
            "{{a}}=x {{n}}=7 {{t}}=true {{user.name}}=y ");
  EXPECT_EQ(paths, "");
}

TEST(ReadTemplateData, RefusesWhatNoCodeCanSay) {
  std::string paths;
  EXPECT_EQ(read_data(R"({"items":[1],"a b":"x","user":{"~":"y"},"else":"z"})", paths), "");
  EXPECT_EQ(paths, "data.items. data.a b. data.user.~. data.else. ");
  EXPECT_EQ(read_data(R"({"a":"1","b":"2","c":"3"})", paths, 2), "{{a}}=1 {{b}}=2 ");
  EXPECT_EQ(paths, "data. ");
}

}  // namespace
}  // namespace todoku::intake
