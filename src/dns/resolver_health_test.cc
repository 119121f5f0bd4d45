// SPDX-License-Identifier: Apache-2.0
#include "dns/resolver_health.h"

#include <string>

#include <gtest/gtest.h>

#include "dns/test_findings.h"

namespace todoku::dns {
namespace {

using namespace std::chrono_literals;
using Change = ResolverHealth::Change;
using Ruling = ResolverHealth::Ruling;

struct ResolverHealthTest : testing::Test {
  ResolverHealthTest() { clock.advance(1h); }
  [[nodiscard]] SteadyInstant now() const { return clock.steady_now(); }
  Change check(CheckFinding finding) {
    clock.advance(1ms);
    health.check_began(now());
    clock.advance(20ms);
    return health.check_ended(std::move(finding), now());
  }
  // A denial that is answered now, in the time of a question.
  [[nodiscard]] Ruling denial() const { return health.rule_denial(now() - 10ms, now()); }
  void answer(const std::string& stem, int count, bool denied) {
    for (int i = 0; i < count; ++i) {
      health.answered(stem + std::to_string(i) + ".example", denied, now());
    }
  }
  [[nodiscard]] Microseconds until_check(std::size_t waiting) const {
    return health.next_check(waiting, now()) - now();
  }

  FakeClock clock;
  ResolverHealth health{{}};
};

TEST_F(ResolverHealthTest, NothingIsDeniedForGoodBeforeTheFirstCheck) {
  EXPECT_EQ(health.trust(now()), Trust::unproven);
  EXPECT_EQ(denial(), Ruling::wait);
  EXPECT_EQ(until_check(0), 0s) << "the first check needs no occasion";
  const SteadyInstant answered = now();
  EXPECT_EQ(check(check_passed()), Change::none);
  EXPECT_EQ(health.rule_denial(answered - 10ms, answered), Ruling::stands);
  EXPECT_TRUE(health.trusted());
}

TEST_F(ResolverHealthTest, ACheckProvesOnlyWhatWasAnsweredBeforeIt) {
  check(check_passed());
  clock.advance(1ms);
  const SteadyInstant answered = now();
  EXPECT_EQ(denial(), Ruling::wait) << "the resolver may have broken since";
  check(check_denies());
  EXPECT_EQ(health.rule_denial(answered - 10ms, answered), Ruling::doubtful);
  EXPECT_EQ(health.trust(now()), Trust::lying);
}

TEST_F(ResolverHealthTest, ACheckThatRunsAlreadyProvesNothing) {
  health.check_began(now());
  clock.advance(1ms);
  const SteadyInstant answered = now();
  health.check_ended(check_passed(), now() + 10ms);
  EXPECT_EQ(health.rule_denial(answered - 10ms, answered), Ruling::wait);
}

TEST_F(ResolverHealthTest, WhatALiarSaidIsWorthNothingLaterEither) {
  check(check_passed());
  EXPECT_EQ(check(check_denies()), Change::lies);
  EXPECT_EQ(check(check_denies()), Change::none) << "told once";
  EXPECT_EQ(denial(), Ruling::doubtful);
  const SteadyInstant asked = now();
  EXPECT_EQ(check(check_passed()), Change::honest);
  check(check_passed());
  EXPECT_EQ(health.rule_denial(asked, asked + 1ms), Ruling::doubtful);
  EXPECT_EQ(health.rule_denial(asked, now()), Ruling::doubtful) << "asked of a liar's cache";
  const SteadyInstant later = now();
  check(check_passed());
  EXPECT_EQ(health.rule_denial(later, later), Ruling::stands);
}

TEST_F(ResolverHealthTest, SilenceProvesNothingAndExcusesNoLie) {
  EXPECT_EQ(check(check_silent()), Change::silent);
  EXPECT_EQ(check(check_silent()), Change::none);
  EXPECT_EQ(health.rule_denial(now() - 1s, now() - 1s), Ruling::doubtful);
  EXPECT_EQ(check(check_passed()), Change::heard);
  EXPECT_EQ(check(check_denies()), Change::lies);
  EXPECT_EQ(check(check_silent()), Change::none);
  EXPECT_EQ(health.trust(now()), Trust::lying);
  EXPECT_EQ(health.problem(), "it denies com.");
}

TEST_F(ResolverHealthTest, AWaveOfDenialsHastensTheCheck) {
  check(check_passed());
  answer("good", 4, false);
  answer("dead", 4, true);
  EXPECT_EQ(health.trust(now()), Trust::trusted);
  const Microseconds calm = until_check(1);
  answer("dead", 4, true);
  EXPECT_EQ(health.trust(now()), Trust::trusted) << "the same domains again";
  health.answered("dead4.example", true, now());
  EXPECT_EQ(health.trust(now()), Trust::suspicious);
  EXPECT_LT(until_check(1), calm);
  // An old list gets its bounces all the same.
  const SteadyInstant answered = now();
  check(check_passed());
  EXPECT_EQ(health.trust(now()), Trust::suspicious);
  EXPECT_EQ(health.rule_denial(answered - 10ms, answered), Ruling::stands);
  clock.advance(61s);
  EXPECT_EQ(health.trust(now()), Trust::trusted) << "the wave is over";
}

TEST_F(ResolverHealthTest, ManyDeadDomainsAmongMoreLivingOnesAreNoWave) {
  check(check_passed());
  answer("dead", 40, true);
  answer("good", 40, false);
  EXPECT_EQ(health.trust(now()), Trust::trusted);
}

TEST_F(ResolverHealthTest, ChecksComeWhenTheyAreNeeded) {
  check(check_passed());
  EXPECT_EQ(health.next_check(0, now()), SteadyInstant::max()) << "nothing is sent";
  health.used();
  EXPECT_GT(until_check(0), 29s);
  EXPECT_LE(until_check(0), 30s);
  EXPECT_LE(until_check(1), 2s);
  EXPECT_GT(until_check(1), 1s) << "those who wait share a check";
  health.check_began(now());
  EXPECT_EQ(health.next_check(1, now()), SteadyInstant::max()) << "one at a time";
  health.check_ended(check_denies(), now());
  EXPECT_EQ(until_check(0), 5s) << "until it is honest again, even if nothing is sent";
}

TEST_F(ResolverHealthTest, ABareAddressWaitsForACheckToo) {
  const auto bare = [&] { return health.rule_bare_address(now() - 10ms, now()); };
  EXPECT_EQ(bare(), Ruling::wait);
  const SteadyInstant answered = now();
  check(check_passed());
  EXPECT_EQ(health.rule_bare_address(answered, answered), Ruling::stands);
  clock.advance(1ms);
  EXPECT_EQ(bare(), Ruling::wait) << "it may have begun to invent";
  const SteadyInstant later = now();
  check(check_silent());
  EXPECT_EQ(health.rule_bare_address(later, later), Ruling::stands);
  check(check_denies());
  EXPECT_EQ(health.rule_bare_address(later, later), Ruling::stands) << "it invents nothing";
}

TEST_F(ResolverHealthTest, InventedAddressesAreDoubtful) {
  check(check_passed());
  const SteadyInstant asked = now();
  check(check_invents());
  EXPECT_EQ(health.rule_bare_address(asked, asked), Ruling::doubtful);
  EXPECT_TRUE(health.invented(*net::IpAddress::parse("192.0.2.66")));
  EXPECT_FALSE(health.invented(*net::IpAddress::parse("192.0.2.67")));
  check(check_passed());
  EXPECT_FALSE(health.invented(*net::IpAddress::parse("192.0.2.66")));
  EXPECT_EQ(health.rule_bare_address(asked, asked), Ruling::doubtful) << "asked of a liar's cache";
}

TEST_F(ResolverHealthTest, WithoutNamesToCheckEveryAnswerStands) {
  ResolverHealth trusting({.enabled = false});
  EXPECT_EQ(trusting.rule_denial(now(), now()), Ruling::stands);
  EXPECT_EQ(trusting.rule_bare_address(now(), now()), Ruling::stands);
}

TEST_F(ResolverHealthTest, RemembersNoMoreThanItMay) {
  ResolverHealth small({.answers_max = 6});
  small.check_began(now());
  small.check_ended(check_passed(), now());
  for (int i = 0; i < 1'000; ++i) small.answered("dead" + std::to_string(i), true, now());
  EXPECT_EQ(small.trust(now()), Trust::suspicious);
  for (int i = 0; i < 3; ++i) small.answered("good" + std::to_string(i), false, now());
  EXPECT_EQ(small.trust(now()), Trust::trusted) << "only the newest six count";
}

}  // namespace
}  // namespace todoku::dns
