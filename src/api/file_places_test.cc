// SPDX-License-Identifier: Apache-2.0
#include "api/file_places.h"

#include <vector>

#include <gtest/gtest.h>

namespace todoku::api {
namespace {

// Takes what it can get.
std::vector<FilePlaces::Place> all_for(FilePlaces& places, store::AccountKey account) {
  std::vector<FilePlaces::Place> taken;
  while (auto place = places.take(account)) taken.push_back(std::move(*place));
  return taken;
}

TEST(FilePlaces, AnAccountLeavesOthersAsManyAsItHas) {
  FilePlaces places(64);
  auto first = all_for(places, store::AccountKey{1});
  EXPECT_EQ(first.size(), 32U);
  const auto second = all_for(places, store::AccountKey{2});
  EXPECT_EQ(second.size(), 16U);
  EXPECT_TRUE(places.take(store::AccountKey{3}));
  first.clear();
  EXPECT_EQ(all_for(places, store::AccountKey{3}).size(), 24U);
}

TEST(FilePlaces, FewAreSharedToo) {
  FilePlaces places(1);
  auto one = places.take(store::AccountKey{1});
  EXPECT_TRUE(one);
  EXPECT_FALSE(places.take(store::AccountKey{1}));
  EXPECT_FALSE(places.take(store::AccountKey{2}));
  one.reset();
  EXPECT_TRUE(places.take(store::AccountKey{2}));
}

}  // namespace
}  // namespace todoku::api
