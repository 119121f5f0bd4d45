// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/sts_exception.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace todoku::delivery::policy {
namespace {

SiteRules rules_of(std::string text) {
  const std::array layers{SiteRules::Layer{.name = "t.toml", .text = std::move(text), .table = ""}};
  auto rules = SiteRules::parse(layers);
  EXPECT_TRUE(rules) << rules.error().detail;
  return std::move(rules).value_or(SiteRules());
}

constexpr bool kProven = true;

TEST(StsException, OfASiteThatUnprovenMxLeadToReachesOnlyHostsThatThePolicyNames) {
  const SiteRules rules = rules_of(R"(
[old]
mx_suffixes = ["mx.example.net"]
mta_sts = false
[clear]
mx_suffixes = ["mx.example.org"]
tls = "none"
[strict]
mx_suffixes = ["mx.example.com"]
)");
  EXPECT_EQ(sts_exception(rules, "a.example.jp", "old", !kProven), StsException::named_hosts);
  EXPECT_EQ(sts_exception(rules, "a.example.jp", "clear", !kProven), StsException::named_hosts);
  EXPECT_EQ(sts_exception(rules, "a.example.jp", "old", kProven), StsException::whole);
  EXPECT_EQ(sts_exception(rules, "a.example.jp", "strict", kProven), StsException::none);
  EXPECT_EQ(sts_exception(rules, "a.example.jp", "mx.of.nobody", kProven), StsException::none);
}

TEST(StsException, OfADomainByNameOrOfEverybodyIsWhole) {
  const SiteRules named = rules_of(R"(
[partner]
domains = ["a.example.jp"]
mx_suffixes = ["mx.example.net"]
mta_sts = false
)");
  EXPECT_EQ(sts_exception(named, "a.example.jp", "partner", !kProven), StsException::whole);
  EXPECT_EQ(sts_exception(named, "b.example.jp", "partner", !kProven), StsException::named_hosts)
      << "the exception of another domain";
  const SiteRules off = rules_of("[defaults]\nmta_sts = false\n");
  EXPECT_EQ(sts_exception(off, "a.example.jp", "mx.of.nobody", !kProven), StsException::whole);
}

}  // namespace
}  // namespace todoku::delivery::policy
