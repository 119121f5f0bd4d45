// SPDX-License-Identifier: Apache-2.0
// Generated clusters: several nodes over one store, with bells that go astray and nodes that die,
// stand still or lose the store. TODOKU_CLUSTER_SEED=n plays one again, and prints its whole story.
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/checks.h"
#include "sim/directed.h"
#include "sim/play.h"
#include "sim/world.h"

namespace todoku::sim {
namespace {

constexpr std::uint64_t kFirstClusterSeed = 1;
// About half a minute of one core; with the sanitizers a world takes some ten times as long.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kClusterSeeds = 30;
#else
constexpr std::uint64_t kClusterSeeds = 200;
#endif

TEST(Cluster, KeepsEveryPromiseInEveryWorld) {
  if (const char* seed = std::getenv("TODOKU_CLUSTER_SEED")) {
    const Played played = play_cluster(std::strtoull(seed, nullptr, 10), {}, 1'000'000);
    fmt::print("{}", played.story);
    EXPECT_TRUE(played.broken.empty()) << describe(played);
    return;
  }
  Figures sum;
  for (std::uint64_t seed = kFirstClusterSeed; seed < kFirstClusterSeed + kClusterSeeds; ++seed) {
    const Played played = play_cluster(seed);
    ASSERT_TRUE(played.broken.empty()) << describe(played);
    sum += played.figures;
  }
  fmt::print("{}\n", describe(sum));
  EXPECT_GT(sum.crashes, kClusterSeeds / 10);
  EXPECT_GT(sum.lapses, kClusterSeeds / 5);
  EXPECT_GT(sum.repeats_after_lapse, 0U);
}

TEST(Cluster, TheSameSeedIsTheSameWorld) {
  for (std::uint64_t seed = kFirstClusterSeed; seed < kFirstClusterSeed + 5; ++seed) {
    const Played once = play_cluster(seed);
    const Played again = play_cluster(seed);
    ASSERT_EQ(once.digest, again.digest) << "seed " << seed;
  }
}

// Else these worlds would say nothing about what protects a batch from two nodes at once.
void expect_found_without(const Safeguards& safeguards, std::string_view which) {
  constexpr std::uint64_t kSeedsEnough = 50;
  for (std::uint64_t seed = kFirstClusterSeed; seed < kFirstClusterSeed + kSeedsEnough; ++seed) {
    const Played played = play_cluster(seed, safeguards);
    if (played.broken.empty()) continue;
    fmt::print("without {}: seed {}: {}\n", which, seed, played.broken.front());
    return;
  }
  ADD_FAILURE() << kSeedsEnough << " worlds need no " << which;
}

TEST(Cluster, WithoutTheCheckOfTokensPromisesAreBroken) {
  expect_found_without({.token_checked = false}, "check of tokens");
}

TEST(Cluster, WithoutRespectForALapsePromisesAreBroken) {
  expect_found_without({.lapse_respected = false}, "respect for a lapse");
}

}  // namespace
}  // namespace todoku::sim
