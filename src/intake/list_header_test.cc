// SPDX-License-Identifier: Apache-2.0
#include "intake/list_header.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

using Names = std::vector<std::string>;

Text why_refused(const Names& fields) {
  const auto header = read_list_header(fields, Limits{});
  return header ? Text{"(taken)", "(taken)"} : header.error();
}

TEST(ListHeader, LosesBlanksAroundNamesAndEmptyCellsAtItsEnd) {
  const auto header =
      read_list_header({" email\u3000", " __name__ ", "\u00A0%%code%%\t", "\uFEFF", " "}, Limits{});
  ASSERT_TRUE(header) << header.error().en;
  EXPECT_THAT(*header, ElementsAre("email", "__name__", "%%code%%"));
  EXPECT_THAT(why_refused({"email", "__na me__"}).en, HasSubstr("invalid format"));
}

TEST(ListHeader, MayHaveOneColumnOfReferences) {
  const auto header = read_list_header({"email", "__a__", "reference", "__b__"}, Limits{});
  ASSERT_TRUE(header) << header.error().en;
  EXPECT_THAT(*header, ElementsAre("email", "__a__", "reference", "__b__"));
  EXPECT_EQ(why_refused({"email", "reference", "__a__", "reference"}).en,
            "the header has the column reference twice");
  EXPECT_THAT(why_refused({"email", "reference", "x"}).en, HasSubstr("column 3 of the header"));
}

TEST(ListHeader, HasColumnsOfMetadata) {
  const auto header =
      read_list_header({"email", "metadata:客 番号", "__a__", "metadata:b"}, Limits{});
  ASSERT_TRUE(header) << header.error().en;
  EXPECT_THAT(*header, ElementsAre("email", "metadata:客 番号", "__a__", "metadata:b"));
  const auto of_template =
      read_list_header({"email", "metadata:a", "a"}, Limits{}, mime::KeyForms::with_braces);
  ASSERT_TRUE(of_template) << of_template.error().en;
  EXPECT_THAT(*of_template, ElementsAre("email", "metadata:a", "{{a}}"));
  std::vector<std::string> many{"email"};
  for (int i = 0; i < 21; ++i) many.push_back("metadata:m" + std::to_string(i));
  for (const std::vector<std::string>& names : {std::vector<std::string>{"email", "metadata:"},
                                                {"email", "metadata:a", "metadata:a"},
                                                {"email", "metadata:" + std::string(101, 'x')},
                                                {"email", "metadata:a\u202Eb"},
                                                many}) {
    EXPECT_THAT(why_refused(names).en, HasSubstr("the columns metadata:NAME of the header: "));
  }
}

TEST(ListHeader, ThatIsMissingIsToldAsMissing) {
  for (const Names& fields : {Names{"c1@good.example", "x"}, Names{" c1@good.example"}}) {
    EXPECT_THAT(why_refused(fields).en, HasSubstr("the header row is missing"));
    EXPECT_THAT(why_refused(fields).ja, HasSubstr("見出しの行がありません"));
  }
}

TEST(ListHeader, SaysHowToWriteTheFirstColumn) {
  EXPECT_THAT(why_refused({"Email"}).en, EndsWith("; write email, in small letters"));
  EXPECT_THAT(why_refused({"Email"}).ja, EndsWith("。小文字で email と書いてください"));
  for (const char* name : {"E-mail", "メールアドレス", "Mail Address", "メール"}) {
    EXPECT_THAT(why_refused({name}).en, EndsWith("; write email"));
    EXPECT_THAT(why_refused({name}).ja, EndsWith("。email と書いてください"));
  }
  EXPECT_THAT(why_refused({"ｅｍａｉｌ"}).en, EndsWith("in halfwidth small letters"));
  EXPECT_THAT(why_refused({"ｅｍａｉｌ"}).ja, EndsWith("。半角の小文字で email と書いてください"));
  EXPECT_THAT(why_refused({"name"}).en, EndsWith("it is \"name\""));
}

TEST(ListHeader, SaysWhichColumnHasToBeTheFirst) {
  EXPECT_THAT(why_refused({"__name__", "email"}).en, EndsWith("put column 2 (\"email\") first"));
  EXPECT_THAT(why_refused({"__name__", "email"}).ja,
              EndsWith("2列目 (「email」) を最初の列にしてください"));
  EXPECT_THAT(why_refused({"名前", "x", "メールアドレス"}).en,
              EndsWith("put column 3 (\"メールアドレス\") first, as email"));
}

TEST(ListHeader, SaysWhatStandsBetweenItsNames) {
  EXPECT_EQ(why_refused({"email;__a__"}).en,
            "the fields of the header are separated by \";\": separate them by commas, or put a "
            "line sep=; before it");
  EXPECT_THAT(why_refused({"email;__a__"}).ja, HasSubstr("見出しの区切りが「;」です"));
  for (const Names& fields : {Names{"email\t__a__"}, Names{"a@good.example\tx"}}) {
    EXPECT_THAT(why_refused(fields).en, AllOf(HasSubstr("TABs"), Not(HasSubstr("\t"))));
    EXPECT_THAT(why_refused(fields).ja, AllOf(HasSubstr("タブ"), Not(HasSubstr("\t"))));
  }
}

TEST(ListHeader, ExplainsAKeyOnlyWhereItIsNone) {
  EXPECT_EQ(why_refused({"email", "__a__", "__a__"}).en,
            "column 3 of the header (\"__a__\"): __a__: the key is given more than once");
  EXPECT_EQ(why_refused({"email", "__a__", "email"}).en,
            "column 3 of the header (\"email\"): is a second column of addresses, but a list has "
            "one");
  EXPECT_THAT(why_refused({"email", "email"}).ja, HasSubstr("メールアドレスの列が2つあります"));
  EXPECT_THAT(why_refused({"email", "surname"}).en,
              HasSubstr("surname: invalid format. These are the columns of a template"));
  EXPECT_THAT(why_refused({"email", "surname"}).en,
              HasSubstr("(--template). A key is a name of letters and digits"));
  EXPECT_THAT(why_refused({"email", "surname"}).ja,
              HasSubstr("surname: 形式が不正です。テンプレート用の列のようですが"));
  EXPECT_THAT(why_refused({"email", "surname"}).ja,
              HasSubstr("(--template)。キーは英数字の名前を"));
  EXPECT_THAT(why_refused({"email", "", "__a__"}).en, "column 2 of the header has no key");
}

TEST(ListHeader, SaysThatTheColumnsOfATemplateNeedOne) {
  EXPECT_THAT(why_refused({"email", "name", "number"}).en, HasSubstr("(--template)"));
  EXPECT_THAT(why_refused({"email", "{{name}}"}).en, EndsWith("(--template)"));
  EXPECT_THAT(why_refused({"email", "名前"}).en, Not(HasSubstr("--template")));
  EXPECT_THAT(why_refused({"email", "__a__", "__a__"}).en, Not(HasSubstr("--template")));
  const auto twice =
      read_list_header({"email", "a", "{{a}}"}, Limits{}, mime::KeyForms::with_braces);
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().en, Not(HasSubstr("--template")));
}

TEST(ListHeader, HasBareNamesWhereBracesAreCodes) {
  const auto header = read_list_header({"email", "first_name", "{{last}}", "__no__"}, Limits{},
                                       mime::KeyForms::with_braces);
  ASSERT_TRUE(header) << header.error().en;
  EXPECT_THAT(*header, ElementsAre("email", "{{first_name}}", "{{last}}", "__no__"));
  EXPECT_FALSE(read_list_header({"email", "a", "{{a}}"}, Limits{}, mime::KeyForms::with_braces));
  for (const std::string wrong : {"first name", "{{ a }}"}) {
    const auto refused = read_list_header({"email", wrong}, Limits{}, mime::KeyForms::with_braces);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().en, HasSubstr("first_name or {{first_name}}"));
    EXPECT_THAT(refused.error().ja, HasSubstr("first_name、{{first_name}}"));
  }
  EXPECT_FALSE(read_list_header({"email", "first_name"}, Limits{}));
  EXPECT_FALSE(read_list_header({"email", "{{first_name}}"}, Limits{}));
}

}  // namespace
}  // namespace todoku::intake
