// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/lane.h"

#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"

namespace todoku::delivery::egress {
namespace {

TEST(Lane, DeliversWhatItIsGiven) {
  Fault none;
  LaneTestWorld world(none, 8);
  world.send();
  world.tidy_until_all_is_told();
  world.drain();
  world.check_that_all_is_free();
  world.check_mails();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::delivered) << address;
  }
  EXPECT_EQ(async::unhandled_exceptions(), 0U);
}

TEST(Lane, MailThatWaitsForAConnectionExpiresThere) {
  Fault none;
  LaneTestWorld world(none, 1);
  ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
  world.send(-1h);
  world.tidy_until_all_is_told();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.times, 1);
    EXPECT_EQ(told.outcome.state, RecipientState::expired) << address;
  }
  world.places.give_back();
  world.drain();
  world.check_that_all_is_free();
}

TEST(Lane, MailThatHasOutlivedItsTimeOpensNoConnection) {
  Fault none;
  LaneTestWorld world(none, 8);
  world.send(-1h);
  world.tidy_until_all_is_told();
  world.drain();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::expired) << address;
  }
  EXPECT_EQ(world.metrics.counter("d", "").value(), 0U);
  world.check_that_all_is_free();
}

TEST(Lane, MailThatOutlivesItsTimeWhileOpeningIsNotBlamedOnTheSite) {
  Fault none;
  LaneTestWorld world(none, 8, "");  // the receiver says nothing
  world.send(200ms);
  world.tidy_until_all_is_told();
  world.drain();
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.state, RecipientState::expired) << address;
  }
  EXPECT_EQ(world.feedback.count.load(), 0);
  world.check_that_all_is_free();
}

TEST(Lane, MailForWhichThereIsNoPlaceGoesBackWhenItDrains) {
  Fault none;
  LaneTestWorld world(none, 1);
  ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
  world.send();
  world.drain();
  world.tidy_until_all_is_told();
  for (const auto& [address, told] : world.recorder.told()) EXPECT_TRUE(told.parked) << address;
  world.places.give_back();
  world.check_that_all_is_free();
}

}  // namespace
}  // namespace todoku::delivery::egress
