// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/shared_moves.h"

#include <gtest/gtest.h>

namespace todoku::delivery::policy {
namespace {

using std::chrono::seconds;

constexpr SharedMoves::Batch kBatch{7, 1};
constexpr SteadyInstant kNow{seconds(100)};

TEST(SharedMoves, WhatASourceKeptNothingOfGoesByOthersWhileASiteDoesNotWantIt) {
  SharedMoves moves;
  moves.came_back(kBatch, "new");
  EXPECT_FALSE(moves.shuns(kBatch, "new")) << "its lane was full: no site minds it";
  moves.unwanted("new", kNow + seconds(60));
  moves.unwanted("new", kNow + seconds(30));
  EXPECT_FALSE(moves.shuns(kBatch, "new")) << "none of it came back since";
  moves.came_back(kBatch, "new");
  EXPECT_TRUE(moves.shuns(kBatch, "new"));
  EXPECT_FALSE(moves.shuns(kBatch, "old"));
  EXPECT_FALSE(moves.shuns({7, 2}, "new")) << "another batch's way is not known";
  moves.look(kNow + seconds(59));
  EXPECT_TRUE(moves.shuns(kBatch, "new"));
  moves.look(kNow + seconds(60));
  EXPECT_FALSE(moves.shuns(kBatch, "new")) << "it is wanted again";
  moves.unwanted("new", kNow + seconds(200));
  EXPECT_FALSE(moves.shuns(kBatch, "new")) << "of what was before nothing is left";
}

TEST(SharedMoves, WhatWentIsAsAnyOther) {
  SharedMoves moves;
  moves.unwanted("new", kNow + seconds(60));
  moves.unwanted("listed", kNow + seconds(10));
  moves.came_back(kBatch, "new");
  moves.came_back(kBatch, "listed");
  EXPECT_TRUE(moves.shuns(kBatch, "new") && moves.shuns(kBatch, "listed"));
  moves.look(kNow + seconds(20));
  EXPECT_TRUE(moves.shuns(kBatch, "new"));
  EXPECT_FALSE(moves.shuns(kBatch, "listed"));
  moves.went(kBatch);
  EXPECT_FALSE(moves.shuns(kBatch, "new"));
}

TEST(SharedMoves, AreBounded) {
  SharedMoves moves;
  moves.unwanted("new", kNow + seconds(60));
  for (std::uint32_t i = 0; i <= SharedMoves::kMost; ++i) moves.came_back({7, i}, "new");
  EXPECT_TRUE(moves.shuns({7, SharedMoves::kMost - 1}, "new"));
  EXPECT_FALSE(moves.shuns({7, SharedMoves::kMost}, "new"));
}

}  // namespace
}  // namespace todoku::delivery::policy
