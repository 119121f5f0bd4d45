// SPDX-License-Identifier: Apache-2.0
// Hundreds of generated worlds. TODOKU_SEED=n plays one again, and prints its whole story.
#include <gtest/gtest.h>

#include "sim/seeds.h"

namespace todoku::sim {
namespace {

// About twenty seconds of one core.
constexpr std::uint64_t kSeeds = SeedCount{.plain = 300, .sanitized = 60}.here();

TEST(Simulation, KeepsEveryPromiseInEveryWorld) {
  const auto sum = Seeds(kSeeds, play_seed).expect_kept("TODOKU_SEED");
  if (!sum) return;
  // Worlds in which nothing happens would prove nothing.
  EXPECT_GT(sum->crashes, kSeeds / 10);
  EXPECT_GT(sum->repeats_after_crash, 0U);
  EXPECT_GT(sum->repeats_in_doubt, 0U);
  EXPECT_GT(sum->delivered, 50 * kSeeds);
  EXPECT_GT(sum->bounced, 0U);
  EXPECT_GT(sum->expired, 0U);
  EXPECT_GT(sum->unknown, 0U);
}

TEST(Simulation, TheSameSeedIsTheSameWorld) {
  Seeds(kSeeds / 15, play_seed).expect_same_again();
}

}  // namespace
}  // namespace todoku::sim
