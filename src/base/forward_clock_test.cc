// SPDX-License-Identifier: Apache-2.0
#include "base/forward_clock.h"

#include <gtest/gtest.h>

namespace todoku {
namespace {

using namespace std::chrono_literals;

struct ForwardClockTest : testing::Test {
  FakeClock machine;
  ForwardClock clock{machine};
  const Instant began = machine.now();
};

TEST_F(ForwardClockTest, IsTheMachinesWhileThatRunsOn) {
  machine.advance(90min);
  EXPECT_EQ(clock.now(), began + 90min);
  machine.jump_wall_clock(3h);
  EXPECT_EQ(clock.now(), machine.now());
}

TEST_F(ForwardClockTest, GoesOnWhenTheMachinesGoesBack) {
  machine.advance(10min);
  EXPECT_EQ(clock.now(), began + 10min);
  machine.jump_wall_clock(-3h);
  EXPECT_EQ(clock.now(), began + 10min);
  machine.advance(15min);
  EXPECT_EQ(clock.now(), began + 25min) << "what was due in 15 minutes is due";
  EXPECT_EQ(clock.wall_now(), began + 25min - 3h);
  machine.jump_wall_clock(3h);
  machine.advance(1min);
  EXPECT_EQ(clock.now(), machine.now()) << "it has caught up";
  machine.jump_wall_clock(-500ms);
  EXPECT_EQ(clock.now(), machine.now()) << "that is how a clock is kept right";
}

TEST_F(ForwardClockTest, FollowsAClockThatHadBeenFarAhead) {
  machine.jump_wall_clock(std::chrono::hours(24 * 3650));
  EXPECT_EQ(clock.now(), machine.now());
  machine.jump_wall_clock(-std::chrono::hours(24 * 3650));
  EXPECT_EQ(clock.now(), machine.now());
}

}  // namespace
}  // namespace todoku
