// SPDX-License-Identifier: Apache-2.0
#include "doctor/spf_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::doctor {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kOurs{"ip4:192.0.2.1", "include:_spf.example.com"};

TEST(SpfMerge, BeginsARecordWhereThereIsNone) {
  const auto merge = merge_spf({"something else"}, kOurs, "-all");
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->text, "v=spf1 ip4:192.0.2.1 include:_spf.example.com -all");
  EXPECT_TRUE(merge->is_changed);
  EXPECT_EQ(merge->replaced, 0U);
}

TEST(SpfMerge, KeepsWhatIsThereAndItsEnd) {
  const auto merge =
      merge_spf({"v=spf1 mx include:other.example ~all exp=why.example.jp"}, kOurs, "-all");
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->text,
            "v=spf1 ip4:192.0.2.1 include:_spf.example.com mx include:other.example ~all "
            "exp=why.example.jp");
  EXPECT_EQ(merge->replaced, 1U);
}

TEST(SpfMerge, KeepsModifiersThatMeanNothingHere) {
  const std::string there = "v=spf1 mx rp=50 -all ra=postmaster rr=all exp=why.example.jp";
  EXPECT_EQ(merge_spf({there}, {"ip4:192.0.2.1"}, "-all")->text,
            "v=spf1 ip4:192.0.2.1 mx -all exp=why.example.jp rp=50 ra=postmaster rr=all");
  EXPECT_EQ(
      merge_spf({"v=spf1 a ra=x -all", "v=spf1 ra=x rp=9 -all"}, {"ip4:192.0.2.1"}, "-all")->text,
      "v=spf1 ip4:192.0.2.1 a -all ra=x rp=9");
}

TEST(SpfMerge, ARecordWithoutAnEndStaysNeutral) {
  EXPECT_EQ(merge_spf({"v=spf1 mx"}, {"ip4:192.0.2.1"}, "~all")->text,
            "v=spf1 ip4:192.0.2.1 mx ?all");
  EXPECT_FALSE(merge_spf({"v=spf1 ip4:192.0.2.1"}, {"ip4:192.0.2.1"}, "~all")->is_changed);
}

TEST(SpfMerge, ChangesNothingWhereAllIsThereByTextOrByNetwork) {
  const std::string there = "V=SPF1 ip4:192.0.2.0/24  +include:_SPF.example.com -all";
  const auto merge = merge_spf({there}, kOurs, "-all");
  ASSERT_TRUE(merge);
  EXPECT_FALSE(merge->is_changed);
  EXPECT_EQ(merge->text, there);
}

TEST(SpfMerge, WhatIsForbiddenBeforeIsNotCovered) {
  const auto merge = merge_spf({"v=spf1 -ip4:192.0.2.0/24 ip4:192.0.2.1/32 -all"},
                               {"ip4:192.0.2.1", "ip4:192.0.2.2"}, "-all");
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->text,
            "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -ip4:192.0.2.0/24 ip4:192.0.2.1/32 -all");
}

TEST(SpfMerge, PutsUsBeforeARedirect) {
  const auto merge = merge_spf({"v=spf1 redirect=other.example"}, {"ip6:2001:db8::1"}, "-all");
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->text, "v=spf1 ip6:2001:db8::1 redirect=other.example");
}

TEST(SpfMerge, MakesOneOfTwo) {
  const auto merge =
      merge_spf({"v=spf1 a -all", "v=spf1 mx a include:x.example ~all"}, {"ip4:192.0.2.1"}, "-all");
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->text, "v=spf1 ip4:192.0.2.1 a mx include:x.example -all");
  EXPECT_EQ(merge->replaced, 2U);
  EXPECT_TRUE(merge->is_changed);
}

TEST(SpfMerge, NamesTheTermThatCannotBeReadAndKeepsTheRest) {
  const auto merge = merge_spf({"v=spf1 mx ip4:192.0.2.999 include:other.example -all"},
                               {"ip4:192.0.2.1"}, "~all");
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->text, "v=spf1 ip4:192.0.2.1 mx include:other.example -all");
  ASSERT_EQ(merge->left_out.size(), 1U);
  EXPECT_THAT(merge->left_out.front(), HasSubstr("\"ip4:192.0.2.999\": holds no IPv4 address"));
  EXPECT_TRUE(merge->is_changed);
  EXPECT_EQ(merge->replaced, 1U);
  // Also where all of ours is there.
  EXPECT_EQ(merge_spf({"v=spf1 ip4:192.0.2.1 nonsense -all"}, {"ip4:192.0.2.1"}, "~all")->text,
            "v=spf1 ip4:192.0.2.1 -all");
  const auto twice =
      merge_spf({"v=spf1 redirect=a.example redirect=b.example"}, {"ip4:192.0.2.1"}, "~all");
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->text, "v=spf1 ip4:192.0.2.1 redirect=a.example");
  EXPECT_THAT(twice->left_out.front(), HasSubstr("occurs twice"));
  EXPECT_FALSE(merge_spf({}, {"ipv4:192.0.2.1"}, "-all"));
  EXPECT_FALSE(merge_spf({"v=spf1 " + std::string(20'000, 'x')}, {"ip4:192.0.2.1"}, "-all"));
}

TEST(SpfMerge, KeepsTheTermsOfARecordInQuotes) {
  for (const std::string quoted : {R"("v=spf1 ip4:192.0.2.10 include:_spf.example.com ~all")",
                                   R"("v=spf1 ip4:192.0.2.10 " "include:_spf.example.com ~all")",
                                   R"(v=spf1 "ip4:192.0.2.10" include:_spf.example.com ~all)",
                                   R"(\"v=spf1 ip4:192.0.2.10 include:_spf.example.com ~all\")"}) {
    SCOPED_TRACE(quoted);
    const auto merge = merge_spf({"something else", quoted}, {"ip4:192.0.2.10"}, "-all");
    ASSERT_TRUE(merge);
    EXPECT_EQ(merge->text, "v=spf1 ip4:192.0.2.10 include:_spf.example.com ~all");
    EXPECT_TRUE(merge->is_changed) << "it counts for nothing as it is";
    EXPECT_EQ(merge->replaced, 1U);
    EXPECT_TRUE(merge->left_out.empty());
  }
  EXPECT_EQ(merge_spf({"v=spf1 mx -all", R"("v=spf1 a ~all")"}, {"ip4:192.0.2.10"}, "-all")->text,
            "v=spf1 ip4:192.0.2.10 mx -all")
      << "beside one that counts it is any text";
}

}  // namespace
}  // namespace todoku::doctor
