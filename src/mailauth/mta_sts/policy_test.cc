// SPDX-License-Identifier: Apache-2.0
#include "mailauth/mta_sts/policy.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::mailauth::mta_sts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(StsPolicy, TheExampleOfTheRfcIsRead) {
  const auto policy = parse_policy(
      "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\n"
      "mx: backupmx.example.com\nmax_age: 604800\n");
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_EQ(policy->mode, Mode::enforce);
  EXPECT_THAT(policy->mx, ElementsAre("mail.example.com", "*.example.net", "backupmx.example.com"));
  EXPECT_EQ(policy->max_age, std::chrono::seconds(604'800));
}

TEST(StsPolicy, LinesEndEitherWayAndFieldsComeInAnyOrder) {
  const auto policy = parse_policy(
      "max_age:86400 \r\nmx:MX.Example.JP.\r\nmode:\ttesting\r\nnews: today\r\n\r\nversion:STSv1");
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_EQ(policy->mode, Mode::testing);
  EXPECT_THAT(policy->mx, ElementsAre("mx.example.jp"));
}

TEST(StsPolicy, TheFirstOfAFieldCounts) {
  const auto policy = parse_policy(
      "version: STSv1\nmode: enforce\nmode: none\nmax_age: 10\nmax_age: x\nmx: a.example.jp\n"
      "version: STSv2\n");
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_EQ(policy->mode, Mode::enforce);
  EXPECT_EQ(policy->max_age, std::chrono::seconds(10));
}

TEST(StsPolicy, NoneNeedsNoHosts) {
  const auto policy = parse_policy("version: STSv1\nmode: none\nmax_age: 0\n");
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_EQ(policy->mode, Mode::none);
}

TEST(StsPolicy, ALongerAgeThanAYearIsAYear) {
  const auto policy =
      parse_policy("version: STSv1\nmode: enforce\nmx: a.example.jp\nmax_age: 9999999999\n");
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_EQ(policy->max_age, kMaxAgeMax);
}

TEST(StsPolicy, WhatIsWrongIsNamed) {
  const struct {
    const char* text;
    const char* sentence;
  } cases[] = {
      {"", "has no version"},
      {"<html>404</html>", "line 1"},
      {"version: STSv2\nmode: none\nmax_age: 1", "version is not STSv1"},
      {"version: STSv1\nmax_age: 1\nmx: a.example.jp", "has no mode"},
      {"version: STSv1\nmode: Enforce\nmax_age: 1\nmx: a.example.jp", "mode is not"},
      {"version: STSv1\nmode: enforce\nmx: a.example.jp", "has no max_age"},
      {"version: STSv1\nmode: enforce\nmax_age: -1\nmx: a.example.jp", "max_age is not"},
      {"version: STSv1\nmode: enforce\nmax_age: 12345678901\nmx: a.example.jp", "max_age is not"},
      {"version: STSv1\nmode: enforce\nmax_age: 1", "has no mx"},
      {"version: STSv1\nmode: enforce\nmax_age: 1\nmx: a.*.example.jp", "mx is not"},
      {"version: STSv1\nmode: enforce\nmax_age: 1\nmx: *", "mx is not"},
      {"version: STSv1\nmode: enforce\nmax_age: 1\nmx: a..example.jp", "mx is not"},
  };
  for (const auto& each : cases) {
    const auto policy = parse_policy(each.text);
    ASSERT_FALSE(policy) << each.text;
    EXPECT_THAT(policy.error().detail, HasSubstr(each.sentence)) << each.text;
  }
}

TEST(StsPolicy, ItMayNameAsManyHostsAsItsOctetsHoldAndIsReadBack) {
  std::string text = "version:STSv1\nmode:enforce\nmax_age:1";
  std::size_t hosts = 0;
  for (; text.size() + 5 <= kPolicyOctetsMax; ++hosts) text += "\nmx:a";
  const auto policy = parse_policy(text);
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_EQ(policy->mx.size(), hosts);
  EXPECT_GT(hosts, 10'000U);
  EXPECT_EQ(parse_policy(to_text(*policy)), *policy) << "the store's text is no longer";
  EXPECT_FALSE(parse_policy(text + std::string(kPolicyOctetsMax, '\n')));
}

TEST(StsPolicy, ItsTextIsReadBack) {
  const Policy policy{.mode = Mode::testing,
                      .mx = {"*.example.jp", "mx.example.com"},
                      .max_age = std::chrono::seconds(86'400)};
  EXPECT_EQ(parse_policy(to_text(policy)), policy);
}

TEST(StsPolicy, AWildcardIsOneWholeLabel) {
  const Policy policy{.mode = Mode::enforce, .mx = {"mx.example.jp", "*.example.com"}};
  EXPECT_TRUE(names(policy, "mx.example.jp"));
  EXPECT_TRUE(names(policy, "mx1.example.com"));
  EXPECT_FALSE(names(policy, "a.b.example.com"));
  EXPECT_FALSE(names(policy, "example.com"));
  EXPECT_FALSE(names(policy, ".example.com"));
  EXPECT_FALSE(names(policy, "mx.example.jp.evil.example"));
  EXPECT_FALSE(names(policy, "a.mx.example.jp"));
  EXPECT_FALSE(names(policy, "example"));
}

}  // namespace
}  // namespace todoku::mailauth::mta_sts
