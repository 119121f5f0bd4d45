// SPDX-License-Identifier: Apache-2.0
// Hundreds of generated worlds. TODOKU_SEED=n plays one again, and prints its whole story.
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/checks.h"
#include "sim/play.h"

namespace todoku::sim {
namespace {

constexpr std::uint64_t kFirstSeed = 1;
// About twenty seconds of one core; with the sanitizers a world takes some ten times as long.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kSeeds = 60;
#else
constexpr std::uint64_t kSeeds = 300;
#endif

TEST(Simulation, KeepsEveryPromiseInEveryWorld) {
  if (const char* seed = std::getenv("TODOKU_SEED")) {
    const Played played = play_seed(std::strtoull(seed, nullptr, 10), 1'000'000);
    fmt::print("{}", played.story);
    EXPECT_TRUE(played.broken.empty()) << describe(played);
    return;
  }
  Figures sum;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kSeeds; ++seed) {
    const Played played = play_seed(seed);
    ASSERT_TRUE(played.broken.empty()) << describe(played);
    sum += played.figures;
  }
  fmt::print("{}\n", describe(sum));
  // Worlds in which nothing happens would prove nothing.
  EXPECT_GT(sum.crashes, kSeeds / 10);
  EXPECT_GT(sum.repeats_after_crash, 0U);
  EXPECT_GT(sum.repeats_in_doubt, 0U);
  EXPECT_GT(sum.delivered, 50 * kSeeds);
  EXPECT_GT(sum.bounced, 0U);
  EXPECT_GT(sum.expired, 0U);
  EXPECT_GT(sum.unknown, 0U);
}

TEST(Simulation, TheSameSeedIsTheSameWorld) {
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kSeeds / 15; ++seed) {
    const Played once = play_seed(seed);
    const Played again = play_seed(seed);
    ASSERT_EQ(once.digest, again.digest) << "seed " << seed;
    ASSERT_EQ(once.lines, again.lines) << "seed " << seed;
  }
}

}  // namespace
}  // namespace todoku::sim
