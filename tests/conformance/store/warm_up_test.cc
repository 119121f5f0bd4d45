// SPDX-License-Identifier: Apache-2.0
// What sources that are warming up have sent (store/warm_up.h).
#include <vector>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::int64_t taken(Store& store, const WarmUpTake& take) {
  return must(store.write_and_wait(WritePriority::claims,
                                   [&](WriteTransaction& t) { return t.take_warm_up(take); }));
}

void give_back(Store& store, const WarmUpCount& unsent) {
  must(store.write_and_wait(WritePriority::claims, [&](WriteTransaction& t) {
    return t.give_back_warm_up("news-1", unsent);
  }));
}

std::vector<WarmUpCount> counts(Store& store, WarmUpDay since = 0) {
  return must(store.read_and_wait(
      [&](ReadTransaction& t) { return t.warm_up_counts("news-1", since, 100); }));
}

WarmUpTake take_of(WarmUpDay day, std::string site, std::int64_t want) {
  return {.source = "news-1",
          .day = day,
          .site = std::move(site),
          .want = want,
          .volume = 100,
          .site_volume = 50};
}

TEST_P(StoreSuite, NeitherVolumeOfAWarmUpIsExceeded) {
  EXPECT_EQ(taken(*store_, take_of(20'000, "gmail", 40)), 40);
  EXPECT_EQ(taken(*store_, take_of(20'000, "gmail", 40)), 10) << "as much as the site may have";
  EXPECT_EQ(taken(*store_, take_of(20'000, "gmail", 1)), 0);
  EXPECT_EQ(taken(*store_, take_of(20'000, "", 45)), 45);
  EXPECT_EQ(taken(*store_, take_of(20'000, "docomo", 40)), 5) << "what is left of the day";
  EXPECT_EQ(taken(*store_, take_of(20'001, "gmail", 40)), 40) << "another day";
  EXPECT_THAT(counts(*store_),
              ElementsAre(WarmUpCount{20'001, "", 40}, WarmUpCount{20'001, "gmail", 40},
                          WarmUpCount{20'000, "", 100}, WarmUpCount{20'000, "docomo", 5},
                          WarmUpCount{20'000, "gmail", 50}));
  WarmUpTake other = take_of(20'000, "gmail", 7);
  other.source = "news-2";
  EXPECT_EQ(taken(*store_, other), 7) << "another source";
}

TEST_P(StoreSuite, WhatAWarmUpDidNotSendMayBeTakenAgain) {
  EXPECT_EQ(taken(*store_, take_of(20'000, "gmail", 50)), 50);
  give_back(*store_, {20'000, "gmail", 20});
  EXPECT_EQ(taken(*store_, take_of(20'000, "gmail", 50)), 20);
  give_back(*store_, {20'000, "gmail", 60});
  EXPECT_THAT(counts(*store_),
              ElementsAre(WarmUpCount{20'000, "", 0}, WarmUpCount{20'000, "gmail", 0}))
      << "never below nothing";
}

TEST_P(StoreSuite, OldDaysOfAWarmUpAreForgotten) {
  EXPECT_EQ(taken(*store_, take_of(20'000, "gmail", 5)), 5);
  EXPECT_EQ(taken(*store_, take_of(20'000 + kWarmUpSitesKept + 1, "", 5)), 5);
  EXPECT_THAT(counts(*store_), ElementsAre(WarmUpCount{20'000 + kWarmUpSitesKept + 1, "", 5},
                                           WarmUpCount{20'000, "", 5}));
  EXPECT_EQ(taken(*store_, take_of(20'000 + kWarmUpDaysKept + 1, "", 5)), 5);
  EXPECT_EQ(counts(*store_).back().day, 20'000 + kWarmUpSitesKept + 1);
  EXPECT_THAT(counts(*store_, 30'000), IsEmpty());
}

TEST_P(StoreSuite, WhatAWarmUpSentSinceItsFirstDayIsKept) {
  const auto of_plan = [](WarmUpDay day) {
    WarmUpTake take = take_of(day, "gmail", 5);
    take.first_day = 20'000;
    return take;
  };
  EXPECT_EQ(taken(*store_, of_plan(19'999)), 5);
  EXPECT_EQ(taken(*store_, of_plan(20'000)), 5);
  const WarmUpDay late = 20'000 + kWarmUpDaysKept + 100;
  EXPECT_EQ(taken(*store_, of_plan(late)), 5);
  EXPECT_THAT(counts(*store_), ElementsAre(WarmUpCount{late, "", 5}, WarmUpCount{late, "gmail", 5},
                                           WarmUpCount{20'000, "", 5}));
}

}  // namespace
}  // namespace todoku::store
