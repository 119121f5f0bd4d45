// SPDX-License-Identifier: Apache-2.0
// However a mail leaves a lane, that it may have arrived is told with it, once.
#include "delivery/egress/way_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"

namespace todoku::delivery::egress {
namespace {

using ::testing::HasSubstr;

const BatchInFlight::Doubt kDoubt{.words = "it hung up at BDAT",
                                  .path = {.mx_host = "mx1.example.jp"}};

std::shared_ptr<BatchInFlight> batch_in_doubt(OutcomeSink& sink, Milliseconds life_left = 24h) {
  auto batch = batch_of_mails(life_left, sink, letter_of_large_values());
  for (std::uint32_t i = 0; i < kMails; ++i) batch->doubt(i, kDoubt);
  return batch;
}

class WayOutTest : public ::testing::Test {
 protected:
  [[nodiscard]] ShakyRecorder::Told told(std::uint32_t index) const {
    return recorder_.told().at(batch_->recipient(index).address);
  }

  Fault fault_;
  ShakyRecorder recorder_{fault_};
  WayOut way_out_{recorder_, "example.jp", "main"};
  std::shared_ptr<BatchInFlight> batch_ = batch_in_doubt(recorder_);
};

TEST_F(WayOutTest, ADoubtGoesWithWhateverBecameOfIt) {
  way_out_.settle({batch_, 0}, {.state = RecipientState::expired, .reply = {0, "given up"}}, {},
                  Milliseconds(0));
  EXPECT_EQ(told(0).outcome.reply.text,
            "given up (sent before in this attempt: it hung up at BDAT; it may have arrived)");
  EXPECT_EQ(told(0).path.mx_host, "mx1.example.jp") << "where it may be";
  EXPECT_EQ(told(0).path.egress_source, "main");
  way_out_.settle(
      {batch_, 1},
      {.state = RecipientState::delivered, .stage = Stage::accepted, .reply = {250, ""}},
      {.mx_host = "mx2.example.jp"}, Milliseconds(0));
  EXPECT_EQ(told(1).outcome.reply.text,
            "(sent twice in this attempt: it hung up at BDAT; it may arrive twice)");
  EXPECT_EQ(told(1).path.mx_host, "mx2.example.jp");
  way_out_.settle({batch_, 0}, {.reply = {0, "later"}}, {}, Milliseconds(0));
  EXPECT_EQ(told(0).outcome.reply.text, "later") << "it is told once";
}

TEST_F(WayOutTest, WhatIsInDoubtIsNotParked) {
  way_out_.park({batch_, 0}, {});
  EXPECT_FALSE(told(0).parked);
  EXPECT_EQ(told(0).outcome.cause, Cause::in_doubt);
  EXPECT_EQ(told(0).outcome.reply.text, "it hung up at BDAT");
  EXPECT_EQ(told(0).path.mx_host, "mx1.example.jp");
  way_out_.park({batch_, 0}, {});
  EXPECT_TRUE(told(0).parked) << "there is no doubt any more";
}

TEST_F(WayOutTest, WhatCouldNotBeToldIsNotForgotten) {
  fault_.seams = Seam::recorder;
  fault_.at = 1;
  fault_.count = 2;
  EXPECT_THROW(way_out_.park({batch_, 0}, {}), std::bad_alloc);
  EXPECT_THROW(way_out_.settle({batch_, 0}, {}, {}, Milliseconds(0)), std::bad_alloc);
  way_out_.park({batch_, 0}, {});
  EXPECT_EQ(told(0).outcome.cause, Cause::in_doubt);
}

// Each way there is out of a lane.

void expect_doubts_told(LaneTestWorld& world, RecipientState state, int with_doubt = kMails) {
  world.tidy_until_all_is_told();
  int told_with_it = 0;
  for (const auto& [address, told] : world.recorder.told()) {
    if (!told.outcome.reply.text.contains(kDoubt.words)) continue;
    ++told_with_it;
    EXPECT_FALSE(told.parked) << address;
    EXPECT_EQ(told.outcome.state, state) << address;
  }
  EXPECT_EQ(told_with_it, with_doubt);
  world.drain();
}

TEST(WayOut, OfMailThatOutlivesItsTimeInTheLedger) {
  Fault none;
  LaneTestWorld world(none, 1);
  ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
  world.send(batch_in_doubt(world.recorder, -1h));
  expect_doubts_told(world, RecipientState::expired);
}

TEST(WayOut, OfMailThatOutlivesItsTimeOnAConnection) {
  Fault none;
  LaneTestWorld world(none, 8, "");
  world.send(batch_in_doubt(world.recorder, 200ms));
  expect_doubts_told(world, RecipientState::expired);
}

TEST(WayOut, OfMailThatAnotherNodeHas) {
  Fault none;
  LaneTestWorld world(none, 1);
  const auto batch = batch_in_doubt(world.recorder);
  batch->lose();
  world.send(batch);
  expect_doubts_told(world, RecipientState::deferred);
}

TEST(WayOut, OfMailOnAConnectionThatAnExceptionEnded) {
  Fault fault{.seams = Seam::dialler, .at = 1, .count = kMails};
  LaneTestWorld world(fault, 1);
  world.send(batch_in_doubt(world.recorder));
  expect_doubts_told(world, RecipientState::deferred);
}

TEST(WayOut, OfMailThatWaitsWhenItDrains) {
  Fault none;
  LaneTestWorld world(none, 1);
  ASSERT_TRUE(world.places.take(TrafficClass::transactional, [] noexcept { return false; }));
  world.send(batch_in_doubt(world.recorder));
  world.lanes.drain();
  expect_doubts_told(world, RecipientState::deferred);
}

}  // namespace
}  // namespace todoku::delivery::egress
