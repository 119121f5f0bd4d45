// SPDX-License-Identifier: Apache-2.0
#include "events/endpoints/asking.h"

#include <vector>

#include <gtest/gtest.h>

namespace todoku::events::endpoints {
namespace {

constexpr store::AccountKey kAcme{7};

TEST(Asking, AnAccountHasFourPlacesAndGetsThemBack) {
  Asking asking;
  {
    std::vector<Asking::Place> places;
    for (std::size_t i = 0; i < Asking::kMostOfAccount; ++i) {
      auto place = asking.take(kAcme);
      ASSERT_TRUE(place);
      places.push_back(std::move(*place));
    }
    EXPECT_FALSE(asking.take(kAcme));
    EXPECT_TRUE(asking.take(store::AccountKey{8}));
  }
  EXPECT_TRUE(asking.take(kAcme));
}

TEST(Asking, AllTogetherHaveFewOfTheCalls) {
  Asking asking;
  std::vector<Asking::Place> places;
  for (std::int64_t account = 1; account <= 100; ++account) {
    if (auto place = asking.take(store::AccountKey{account})) places.push_back(std::move(*place));
  }
  EXPECT_EQ(places.size(), Asking::kMost);
}

}  // namespace
}  // namespace todoku::events::endpoints
