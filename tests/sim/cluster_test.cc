// SPDX-License-Identifier: Apache-2.0
// Generated clusters: several nodes over one store, with bells that go astray and nodes that die,
// stand still or lose the store. TODOKU_CLUSTER_SEED=n plays one again, and prints its whole story.
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/scenario.h"
#include "sim/seeds.h"

namespace todoku::sim {
namespace {

// About half a minute of one core.
constexpr std::uint64_t kClusterSeeds = SeedCount{.plain = 200, .sanitized = 30}.here();

Seeds clusters(std::uint64_t count, const Safeguards& safeguards = {}) {
  return {count, [safeguards](std::uint64_t seed, std::size_t story_lines) {
            return play_cluster(seed, safeguards, story_lines);
          }};
}

TEST(Cluster, KeepsEveryPromiseInEveryWorld) {
  const auto sum = clusters(kClusterSeeds).expect_kept("TODOKU_CLUSTER_SEED");
  if (!sum) return;
  EXPECT_GT(sum->crashes, kClusterSeeds / 10);
  EXPECT_GT(sum->lapses, kClusterSeeds / 5);
  EXPECT_GT(sum->repeats_after_lapse, 0U);
}

TEST(Cluster, TheSameSeedIsTheSameWorld) {
  clusters(5).expect_same_again();
}

// Else these worlds would say nothing about what protects a batch from two nodes at once.
void expect_found_without(const Safeguards& safeguards, std::string_view which) {
  constexpr std::uint64_t kSeedsEnough = 50;
  Figures before;
  const auto found = clusters(kSeedsEnough, safeguards).first_broken(before);
  ASSERT_TRUE(found) << kSeedsEnough << " worlds need no " << which;
  fmt::print("without {}: seed {}: {}\n", which, found->seed, found->broken.front());
}

TEST(Cluster, WithoutTheCheckOfTokensPromisesAreBroken) {
  expect_found_without({.token_checked = false}, "check of tokens");
}

TEST(Cluster, WithoutRespectForALapsePromisesAreBroken) {
  expect_found_without({.lapse_respected = false}, "respect for a lapse");
}

TEST(Cluster, WithoutALookForWhatWasForgottenPromisesAreBroken) {
  expect_found_without({.looks_for_forgotten = false}, "look for what was forgotten");
}

TEST(Cluster, WithoutMemoryOfWhatIsOnItsWayPromisesAreBroken) {
  expect_found_without({.way_remembered = false}, "memory of what is on its way");
}

}  // namespace
}  // namespace todoku::sim
