// SPDX-License-Identifier: Apache-2.0
// A small bulk in a simulated Japan: adaptive pacing is nearly as fast as who knows every limit and
// hardly ever hears "too much"; nothing is lost, no rule passed. Without adapting it is otherwise.
#include <string>

#include <gtest/gtest.h>

#include "sim/japan/aims.h"
#include "sim/japan/frozen.h"
#include "sim/japan/rules.h"
#include "sim/japan/run.h"

namespace todoku::sim::japan {
namespace {

constexpr std::string_view kSites = TODOKU_SOURCE_DIR "/rules/sites.toml";
constexpr std::uint64_t kSeed = 20261130;
constexpr WorldSize kSmall{.recipients = 100'000, .small_hosts = 40, .sources = 1};

class Japan : public testing::Test {
 protected:
  static Ran ran(const delivery::policy::SiteRules& rules,
                 const delivery::policy::PaceOptions& options = {}) {
    return run(draw_world(kSeed, kSmall), *adaptive(rules, options));
  }
  static Ran ran_oracle(const delivery::policy::SiteRules* within = nullptr) {
    return run(draw_world(kSeed, kSmall), *oracle(within));
  }
  // Everybody has come to one end, or waits; within the strategy's own ceilings.
  static void expect_kept(const Ran& ran) {
    EXPECT_EQ(ran.whole.taken + ran.whole.unknown + ran.waiting, kSmall.recipients);
    EXPECT_EQ(ran.waiting, 0U);
    EXPECT_EQ(ran.ceilings_passed, 0U);
  }

  const delivery::policy::SiteRules shipped_ = shipped_rules(kSites);
  const delivery::policy::SiteRules wide_ = wide_rules(kSites);
};

TEST_F(Japan, AdaptivePacingIsNearTheOracleAndHardlyEverRefused) {
  const Ran best = ran_oracle();
  expect_kept(best);
  const Ran adapted = ran(wide_);
  expect_kept(adapted);
  EXPECT_TRUE(reaches_aims(adapted, best)) << aims_text(adapted, best);
}

TEST_F(Japan, WithinTheShippedRulesItIsNearWhoKnowsAllButKeepsThem) {
  const Ran best = ran_oracle(&shipped_);
  expect_kept(best);
  const Ran adapted = ran(shipped_);
  expect_kept(adapted);
  EXPECT_TRUE(reaches_aims(adapted, best)) << aims_text(adapted, best);
}

// The safeguard taken away: the same lanes, always at their ceilings.
TEST_F(Japan, WithoutAdaptingTheAimsAreMissed) {
  const Ran best = ran_oracle();
  const Ran flood = ran(wide_, {.adaptive = false});
  EXPECT_FALSE(reaches_aims(flood, best)) << aims_text(flood, best);
  EXPECT_GT(flood.whole.limit_share(), 10 * kLimitShareMost);
  EXPECT_EQ(flood.whole.taken + flood.whole.unknown + flood.waiting, kSmall.recipients);
}

// Or the worlds that judged are not theirs: bench/run japan, docs/simulated-japan.md.
TEST_F(Japan, TheConstantsOfThePaceAreThoseThatWereJudged) {
  EXPECT_EQ(parameters_text({}), kFrozen);
}

TEST_F(Japan, TheSameSeedIsTheSameRun) {
  const Ran once = ran(shipped_);
  const Ran again = ran(shipped_);
  EXPECT_EQ(once.done_by_minute, again.done_by_minute);
  EXPECT_EQ(once.whole.said, again.whole.said);
}

}  // namespace
}  // namespace todoku::sim::japan
