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

std::vector<int> in_turn(std::vector<TurnOf> all, bool again_first = false) {
  by_turns(all, again_first, [](const TurnOf& each) { return each.tries > 0; });
  std::vector<int> numbers;
  for (const TurnOf& each : all) numbers.push_back(each.number);
  return numbers;
}

TEST(ByTurns, TakesNewOnesAndRetriesOneAfterTheOther) {
  EXPECT_THAT(in_turn({{1, 1}, {2, 2}, {3, 1}, {4, 0}, {5, 0}}), ElementsAre(4, 1, 5, 2, 3));
  EXPECT_THAT(in_turn({{1, 0}, {2, 0}, {3, 0}, {4, 1}}), ElementsAre(1, 4, 2, 3));
  EXPECT_THAT(in_turn({{1, 1}, {2, 2}, {3, 1}, {4, 0}, {5, 0}}, true), ElementsAre(1, 4, 2, 5, 3));
  EXPECT_THAT(in_turn({{1, 0}, {2, 0}}, true), ElementsAre(1, 2));
  EXPECT_THAT(in_turn({{1, 0}, {2, 0}}), ElementsAre(1, 2));
  EXPECT_THAT(in_turn({{1, 1}, {2, 3}}), ElementsAre(1, 2));
  EXPECT_THAT(in_turn({}), IsEmpty());
}

// So many turns at a time; the first half of the recipients defers every time and is due again at
// once. How often each was tried in twice as many turns as there are recipients.
std::vector<int> tries_of_all(std::size_t turns) {
  constexpr int kAll = 200;
  std::vector<TurnOf> batch;
  for (int i = 0; i < kAll; ++i) batch.push_back({.number = i});
  std::vector<int> tries(kAll);
  for (std::size_t claim = 0; claim < 2 * kAll / turns; ++claim) {
    // As a claim has them: in the order of the list.
    std::ranges::sort(batch, {}, &TurnOf::number);
    by_turns(batch, claim % 2 == 1, [](const TurnOf& each) { return each.tries > 0; });
    std::vector<TurnOf> left;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (i < turns) ++tries[static_cast<std::size_t>(batch[i].number)];
      if (i < turns) ++batch[i].tries;
      const bool taken = i < turns && batch[i].number >= kAll / 2;
      if (!taken) left.push_back(batch[i]);
    }
    batch = left;
  }
  return tries;
}

TEST(ByTurns, ABatchWhoseHalfIsDeferredReachesTheRestAndTriesThatHalfAgain) {
  for (const std::size_t turns : {1U, 2U, 10U}) {
    const std::vector<int> tries = tries_of_all(turns);
    EXPECT_GT(*std::ranges::min_element(tries), 0) << "everybody was begun within twice the time";
    for (std::size_t i = tries.size() / 2; i < tries.size(); ++i) EXPECT_EQ(tries[i], 1) << i;
    EXPECT_GT(tries.front(), 1) << "and who was deferred goes again meanwhile";
  }
}

// A pace of some an hour gives one turn to each claim.
TEST(ByTurns, WhoGoesAgainHasHisTurnWhileNewOnesAreLeft) {
  std::vector<TurnOf> batch{{1, 1}, {2, 0}, {3, 0}, {4, 0}};
  std::vector<int> first;
  for (const bool again_first : {false, true}) {
    by_turns(batch, again_first, [](const TurnOf& each) { return each.tries > 0; });
    first.push_back(batch.front().number);
  }
  EXPECT_THAT(first, ElementsAre(2, 1));
}

}  // namespace
}  // namespace todoku::delivery::policy
