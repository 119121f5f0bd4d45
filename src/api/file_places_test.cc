// SPDX-License-Identifier: Apache-2.0
#include "api/file_places.h"

#include <utility>
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

TEST(FilePlaces, WhatFilesTakeIsCountedWhileTheirPlacesAreHeld) {
  FilePlaces places(64);
  const store::AccountKey one{1};
  auto first = places.take(one);
  auto second = places.take(one);
  ASSERT_TRUE(first && second);
  first->grow(70);
  second->grow(5);
  first->grow(7);
  EXPECT_EQ(places.octets_of(one), 82U);
  EXPECT_EQ(places.octets_of(store::AccountKey{2}), 0U);
  const FilePlaces::Place moved = std::move(*first);
  first.reset();
  EXPECT_EQ(places.octets_of(one), 82U);
  second.reset();
  EXPECT_EQ(places.octets_of(one), 77U);
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
