// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/mta_sts_route.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "delivery/policy/tls_policy.h"

namespace todoku::delivery::egress {
namespace {

using mailauth::mta_sts::Mode;
using mailauth::mta_sts::Policy;

std::shared_ptr<const dns::RouteAnswer> route_of(const std::vector<std::string>& hosts) {
  dns::MailRoute route{.domain = "example.jp", .site = "mx.example.com"};
  for (const std::string& host : hosts) route.hosts.push_back({.name = host, .preference = 10});
  return std::make_shared<const dns::RouteAnswer>(std::move(route));
}

Policy policy_of(Mode mode, std::vector<std::string> mx) {
  return {.mode = mode, .mx = std::move(mx), .max_age = std::chrono::hours(1)};
}

const std::vector<std::string> kHosts = {"mx1.example.com", "mx2.example.com"};

TEST(MtaStsRoute, WithoutAPolicyTheRouteIsEverybodys) {
  const auto answer = route_of(kHosts);
  const auto plain = mta_sts_route(answer, nullptr);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->answer, answer);
  EXPECT_FALSE(plain->mta_sts);
  const Policy trial = policy_of(Mode::testing, {"mx.elsewhere.example"});
  const auto tried = mta_sts_route(answer, &trial);
  ASSERT_TRUE(tried);
  EXPECT_EQ(tried->key, plain->key) << "what is on trial shares the connections of others";
  EXPECT_FALSE(tried->mta_sts);
}

TEST(MtaStsRoute, AnEnforcedPolicyHasConnectionsOfItsOwn) {
  const auto answer = route_of(kHosts);
  const Policy all = policy_of(Mode::enforce, {"*.example.com"});
  const auto enforced = mta_sts_route(answer, &all);
  ASSERT_TRUE(enforced);
  EXPECT_TRUE(enforced->mta_sts);
  EXPECT_EQ(enforced->answer, answer);
  EXPECT_NE(enforced->key, mta_sts_route(answer, nullptr)->key);
  EXPECT_EQ(enforced->route().site, "mx.example.com") << "limits stay the site's";
  const Policy same = policy_of(Mode::enforce, {"mx1.example.com", "mx2.example.com"});
  EXPECT_EQ(mta_sts_route(answer, &same)->key, enforced->key) << "the same hosts are left";
}

TEST(MtaStsRoute, OnlyNamedHostsAreLeft) {
  const Policy one = policy_of(Mode::enforce, {"mx2.example.com"});
  const auto left = mta_sts_route(route_of(kHosts), &one);
  ASSERT_TRUE(left);
  ASSERT_EQ(left->route().hosts.size(), 1U);
  EXPECT_EQ(left->route().hosts.front().name, "mx2.example.com");
  const Policy none = policy_of(Mode::enforce, {"mx.example.jp"});
  EXPECT_FALSE(mta_sts_route(route_of(kHosts), &none));
  EXPECT_EQ(no_host_named("example.jp", **route_of(kHosts)),
            "4.7.5 the MTA-STS policy of example.jp names none of its mail servers: "
            "mx1.example.com, mx2.example.com");
}

TEST(MtaStsRoute, AnExceptionReachesNoHostThatThePolicyDoesNotName) {
  using policy::StsException;
  const auto answer = route_of(kHosts);
  const Policy one = policy_of(Mode::enforce, {"mx2.example.com"});
  const auto left = mta_sts_route(answer, &one, StsException::named_hosts);
  ASSERT_TRUE(left);
  EXPECT_FALSE(left->mta_sts) << "nothing is asked of its TLS";
  ASSERT_EQ(left->route().hosts.size(), 1U);
  EXPECT_EQ(left->route().hosts.front().name, "mx2.example.com");
  EXPECT_NE(left->key, mta_sts_route(answer, &one)->key);
  const Policy other = policy_of(Mode::enforce, {"mx.example.jp"});
  EXPECT_FALSE(mta_sts_route(answer, &other, StsException::named_hosts));
  const auto whole = mta_sts_route(answer, &other, StsException::whole);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->answer, answer);
  EXPECT_FALSE(whole->mta_sts);
}

TEST(MtaStsRoute, AHostThatItsTlsaRecordsProveIsLeft) {
  const Policy other = policy_of(Mode::enforce, {"mx.example.jp"});
  dns::MailRoute route = **route_of(kHosts);
  route.hosts.front().dane.demand = DaneDemand::proof;
  for (const DaneDemand less :
       {DaneDemand::nothing, DaneDemand::encryption, DaneDemand::not_answered}) {
    route.hosts.back().dane.demand = less;
    const auto left = mta_sts_route(std::make_shared<const dns::RouteAnswer>(route), &other);
    ASSERT_TRUE(left);
    ASSERT_EQ(left->route().hosts.size(), 1U) << "only where they prove it";
    EXPECT_EQ(left->route().hosts.front().name, "mx1.example.com");
  }
}

TEST(MtaStsRoute, ItsPlanIsProvenTlsUnlessTheOperatorForbidsTls) {
  using policy::tls_plan;
  using policy::TlsPolicy;
  const TlsPlan proven{TlsMode::required, TlsProof::mx_name, TlsAsker::mta_sts};
  EXPECT_EQ(tls_plan(TlsPolicy::opportunistic, {.dane = DaneDemand::nothing, .mta_sts = true}),
            proven);
  EXPECT_EQ(tls_plan(TlsPolicy::required, {.dane = DaneDemand::encryption, .mta_sts = true}),
            proven);
  EXPECT_EQ(tls_plan(TlsPolicy::none, {.dane = DaneDemand::nothing, .mta_sts = true}),
            tls_plan(TlsPolicy::none));
  EXPECT_FALSE(policy::plan_after_failed_tls(proven)) << "never in clear text";
  EXPECT_EQ(tls_plan(TlsPolicy::opportunistic, {.dane = DaneDemand::proof, .mta_sts = true}).proof,
            TlsProof::dane)
      << "RFC 8461 section 2: DANE goes first";
}

}  // namespace
}  // namespace todoku::delivery::egress
