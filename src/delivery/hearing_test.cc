// SPDX-License-Identifier: Apache-2.0
// Nothing is begun by a process that may not know what others were told a second ago.
#include "delivery/hearing.h"

#include <gtest/gtest.h>

namespace todoku::delivery {
namespace {

using namespace std::chrono_literals;
using Of = Hearing::Of;

class Lease final : public NodeLease {
 public:
  [[nodiscard]] store::NodeKey key() const override { return store::NodeKey{3}; }
  [[nodiscard]] bool holds() const override { return held; }
  void renew_soon() override { ++renewed; }
  bool held = true;
  int renewed = 0;
};

class HearingTest : public testing::Test {
 protected:
  void hear_all() {
    hearing_.heard(Of::courses, clock_.steady_now());
    hearing_.heard(Of::suppressions, clock_.steady_now());
  }
  FakeClock clock_;
  Hearing hearing_{clock_, 1'000ms};
  Lease lease_;
  HearingLease heard_lease_{lease_, hearing_};
};

TEST_F(HearingTest, NothingIsBegunBeforeBothWereHeard) {
  EXPECT_FALSE(heard_lease_.holds());
  EXPECT_FALSE(hearing_.heard(Of::courses, clock_.steady_now()));
  EXPECT_FALSE(heard_lease_.holds());
  EXPECT_TRUE(hearing_.heard(Of::suppressions, clock_.steady_now())) << "in time from here on";
  EXPECT_TRUE(heard_lease_.holds());
  EXPECT_FALSE(hearing_.heard(Of::suppressions, clock_.steady_now())) << "as before";
}

TEST_F(HearingTest, WhoHeardNothingForASecondBeginsNothing) {
  hear_all();
  clock_.advance(1'000ms);
  EXPECT_TRUE(heard_lease_.holds());
  clock_.advance(1ms);
  EXPECT_FALSE(heard_lease_.holds());
  hear_all();
  EXPECT_TRUE(heard_lease_.holds());
}

TEST_F(HearingTest, WhatCountsIsWhenItWasAskedNotWhenItWasAnswered) {
  const SteadyInstant asked = clock_.steady_now();
  clock_.advance(1'500ms);
  hearing_.heard(Of::courses, asked);
  hearing_.heard(Of::suppressions, clock_.steady_now());
  EXPECT_FALSE(hearing_.in_time());
}

TEST_F(HearingTest, OneOfBothIsNotEnough) {
  hear_all();
  clock_.advance(600ms);
  hearing_.heard(Of::courses, clock_.steady_now());
  clock_.advance(600ms);
  EXPECT_FALSE(hearing_.in_time());
  EXPECT_TRUE(hearing_.heard(Of::suppressions, clock_.steady_now()));
}

TEST_F(HearingTest, TheLeaseIsNeededToo) {
  hear_all();
  lease_.held = false;
  EXPECT_FALSE(heard_lease_.holds());
  heard_lease_.renew_soon();
  EXPECT_EQ(lease_.renewed, 1);
  EXPECT_EQ(heard_lease_.key(), store::NodeKey{3});
}

TEST_F(HearingTest, AloneThereIsNobodyToHear) {
  const Hearing alone(clock_, std::nullopt);
  EXPECT_TRUE(alone.in_time());
}

}  // namespace
}  // namespace todoku::delivery
