// SPDX-License-Identifier: Apache-2.0
#include "intake/opt_outs.h"

#include <vector>

#include <gtest/gtest.h>

namespace todoku::intake {
namespace {

using namespace std::chrono_literals;

store::Suppression entry(StopReason reason, StopScope scope, Instant updated,
                         std::string list = {}) {
  store::Suppression made;
  made.reason = reason;
  made.scope = scope;
  made.list_id = std::move(list);
  made.updated = updated;
  return made;
}

TEST(OptOuts, SayWhatWasLeftAlreadyAndSinceWhen) {
  const Instant first(1'000s);
  const UnsubscribeToken weekly{.list_id = "weekly", .address = "a@example.jp"};
  std::vector<store::Suppression> entries;
  EXPECT_FALSE(left_already(entries, weekly));
  entries.push_back(entry(StopReason::unsubscribe, StopScope::list, first, "daily"));
  EXPECT_FALSE(left_already(entries, weekly)) << "another list";
  entries.push_back(entry(StopReason::unsubscribe, StopScope::list, first, "weekly"));
  auto left = left_already(entries, weekly);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->leaves, Leaves::list);
  EXPECT_EQ(left->at, first);
  EXPECT_FALSE(left_already(entries, {.list_id = {}, .address = "a@example.jp"}));
  entries.push_back(entry(StopReason::unsubscribe, StopScope::advertisements, first + 5s));
  for (int order = 0; order < 2; ++order) {
    left = left_already(entries, weekly);
    ASSERT_TRUE(left);
    EXPECT_EQ(left->leaves, Leaves::advertisements) << "which is more";
    EXPECT_EQ(left->at, first + 5s);
    std::swap(entries[1], entries[2]);
  }
}

TEST(OptOuts, WhatNoReaderDidHasNoTimeToTakeItBack) {
  const std::vector<store::Suppression> complaint{
      entry(StopReason::complaint, StopScope::advertisements, Instant(1'000s))};
  const auto left = left_already(complaint, {.list_id = "weekly", .address = "a@example.jp"});
  ASSERT_TRUE(left);
  EXPECT_EQ(left->leaves, Leaves::advertisements);
  EXPECT_FALSE(left->at);
}

}  // namespace
}  // namespace todoku::intake
