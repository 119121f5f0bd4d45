// SPDX-License-Identifier: Apache-2.0
// Mails that are sent at most once: the store knows before their content goes out, and is told
// otherwise where nothing of it did. What the store is not told makes the mail unknown for good.
#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"

namespace todoku::delivery::egress {
namespace {

constexpr int kAll = static_cast<int>(kMails);
const std::string kGreeting = "220 mx.example.jp ESMTP\r\n";
// The content does not go with the commands.
const std::vector<std::string> kOneByOne{"8BITMIME"};

std::shared_ptr<BatchInFlight> batch_at_most_once(LaneTestWorld& world) {
  return batch_of_mails(24h, world.recorder, letter_of_large_values(true));
}

void finish_once(LaneTestWorld& world) {
  world.tidy_until_all_is_told();
  world.drain();
  world.check_that_all_is_free();
  world.check_mails();
}

void expect_delivered_unless(const LaneTestWorld& world, bool parked) {
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.parked, parked) << address;
    if (!parked) EXPECT_EQ(told.outcome.state, RecipientState::delivered) << address;
  }
}

TEST(AtMostOnce, EachIsBegunAndNoneThatWentOutIsTakenBack) {
  Fault none;
  LaneTestWorld world(none, 8);
  world.send(batch_at_most_once(world));
  finish_once(world);
  expect_delivered_unless(world, false);
  EXPECT_EQ(world.recorder.begun_once, kAll);
  EXPECT_EQ(world.recorder.taken_back, 0);
}

TEST(AtMostOnce, NothingGoesOutThatTheStoreWasNotToldOf) {
  Fault none;
  LaneTestWorld world(none, 8);
  world.recorder.refuses = true;
  world.send(batch_at_most_once(world));
  finish_once(world);
  expect_delivered_unless(world, true);
  EXPECT_TRUE(world.taken().empty());
  EXPECT_EQ(world.recorder.begun_once, kAll) << "each waits, and is not asked for in a circle";
}

TEST(AtMostOnce, WhatTheNextConnectionHasIsTakenBackBefore) {
  for (const std::string_view enough : {"421 4.7.0 enough for this connection", ""}) {
    Fault none;
    LaneTestWorld world(none, 1, kGreeting, kOneByOne);
    world.script().mails_max = 1;
    world.script().enough = enough;
    world.send(batch_at_most_once(world));
    finish_once(world);
    expect_delivered_unless(world, false);
    EXPECT_EQ(world.recorder.taken_back, kAll - 1) << enough;
    EXPECT_EQ(world.recorder.begun_once, 2 * kAll - 1) << enough;
  }
}

TEST(AtMostOnce, WhatWasLostWhileItWasBegunDoesNotGoOut) {
  Fault none;
  LaneTestWorld world(none, 1);
  const auto batch = batch_at_most_once(world);
  world.recorder.at_begin_once = [&batch] { batch->lose(); };
  world.send(batch);
  finish_once(world);
  expect_delivered_unless(world, true);
  EXPECT_TRUE(world.taken().empty());
  EXPECT_EQ(world.recorder.begun_once, 1);
  EXPECT_EQ(world.recorder.taken_back, 1);
}

TEST(AtMostOnce, WhatIsCutOffBeforeItsContentIsTakenBack) {
  Fault none;
  LaneTestWorld world(none, 1, kGreeting, kOneByOne);
  world.script().answers["MAIL"] = "";  // says nothing
  world.send(batch_at_most_once(world));
  const SystemClock clock;
  const SteadyInstant until = clock.steady_now() + 20s;
  while (world.recorder.begun_once == 0 && clock.steady_now() < until)
    (void)world.recorder.knows(1);
  world.cut_off();
  finish_once(world);
  expect_delivered_unless(world, true);
  EXPECT_EQ(world.recorder.begun_once, 1);
  EXPECT_EQ(world.recorder.taken_back, 1);
  for (const auto& [address, told] : world.recorder.told()) EXPECT_FALSE(told.marked) << address;
}

TEST(AtMostOnce, AnExceptionBeforeAnythingWentOutTakesItBack) {
  Fault none;
  LaneTestWorld world(none, 1);
  bool first = true;
  world.recorder.at_begin_once = [&] {
    world.recorder.next_may_send_throws = std::exchange(first, false);
  };
  world.send(batch_at_most_once(world));
  finish_once(world);
  expect_delivered_unless(world, false);
  EXPECT_EQ(world.recorder.taken_back, 1);
  EXPECT_EQ(world.recorder.begun_once, kAll + 1);
}

}  // namespace
}  // namespace todoku::delivery::egress
