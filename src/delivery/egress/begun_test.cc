// SPDX-License-Identifier: Apache-2.0
// Bulk: the store knows of whom mails may be out before they are begun (store/work.h, BegunMark).
#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"

namespace todoku::delivery::egress {
namespace {

std::shared_ptr<BatchInFlight> bulk_batch(LaneTestWorld& world) {
  return batch_of_mails(24h, world.recorder, letter_of_large_values(false, TrafficClass::bulk));
}

void finish_bulk(LaneTestWorld& world) {
  world.tidy_until_all_is_told();
  world.drain();
  world.check_that_all_is_free();
  world.check_mails();
}

TEST(Begun, NeighboursAreToldOfOnceAndGoOut) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.send(bulk_batch(world));
  finish_bulk(world);
  EXPECT_EQ(world.taken().size(), kMails);
  EXPECT_EQ(world.recorder.told_begun, 1);
}

TEST(Begun, WhatPassesToSomebodyElseMeanwhileDoesNotGoOut) {
  Fault none;
  LaneTestWorld world(none, 1);
  const auto batch = bulk_batch(world);
  world.recorder.at_begin = [&batch] { batch->lose(); };
  world.send(batch);
  finish_bulk(world);
  EXPECT_TRUE(world.taken().empty());
  for (const auto& [address, told] : world.recorder.told()) EXPECT_TRUE(told.parked) << address;
}

TEST(Begun, OfTransactionsNobodyAsks) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.send();
  finish_bulk(world);
  EXPECT_EQ(world.taken().size(), kMails);
  EXPECT_EQ(world.recorder.told_begun, 0);
}

}  // namespace
}  // namespace todoku::delivery::egress
