// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/by_turns.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::delivery::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct TurnOf {
  int number = 0;
  int tries = 0;
};

std::vector<int> in_turn(std::vector<TurnOf> all) {
  by_turns(all, [](const TurnOf& each) { return each.tries > 0; });
  std::vector<int> numbers;
  for (const TurnOf& each : all) numbers.push_back(each.number);
  return numbers;
}

TEST(ByTurns, TakesNewOnesAndRetriesOneAfterTheOther) {
  EXPECT_THAT(in_turn({{1, 1}, {2, 2}, {3, 1}, {4, 0}, {5, 0}}), ElementsAre(4, 1, 5, 2, 3));
  EXPECT_THAT(in_turn({{1, 0}, {2, 0}, {3, 0}, {4, 1}}), ElementsAre(1, 4, 2, 3));
  EXPECT_THAT(in_turn({{1, 0}, {2, 0}}), ElementsAre(1, 2));
  EXPECT_THAT(in_turn({{1, 1}, {2, 3}}), ElementsAre(1, 2));
  EXPECT_THAT(in_turn({}), IsEmpty());
}

// Ten turns at a time; the first half of the recipients defers every time and is due again at once.
TEST(ByTurns, ABatchWhoseHalfIsDeferredReachesTheRestAndTriesThatHalfAgain) {
  constexpr std::size_t kTurns = 10;
  constexpr int kAll = 200;
  std::vector<TurnOf> batch;
  for (int i = 0; i < kAll; ++i) batch.push_back({.number = i});
  std::vector<int> tries(kAll);
  for (int round = 0; round < 2 * kAll / static_cast<int>(kTurns); ++round) {
    // As a claim has them: in the order of the list.
    std::ranges::sort(batch, {}, &TurnOf::number);
    by_turns(batch, [](const TurnOf& each) { return each.tries > 0; });
    std::vector<TurnOf> left;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (i < kTurns) ++tries[static_cast<std::size_t>(batch[i].number)];
      if (i < kTurns) ++batch[i].tries;
      const bool taken = i < kTurns && batch[i].number >= kAll / 2;
      if (!taken) left.push_back(batch[i]);
    }
    batch = left;
  }
  EXPECT_GT(*std::ranges::min_element(tries), 0) << "everybody was begun within twice the time";
  for (int i = kAll / 2; i < kAll; ++i) EXPECT_EQ(tries[static_cast<std::size_t>(i)], 1) << i;
  EXPECT_GT(tries.front(), 1) << "and who was deferred goes again meanwhile";
}

}  // namespace
}  // namespace todoku::delivery::policy
