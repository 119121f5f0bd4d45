// SPDX-License-Identifier: Apache-2.0
#include "ops/scaling.h"

#include <gtest/gtest.h>

namespace todoku::ops {
namespace {

using namespace std::chrono_literals;

// Two couriers, read once a minute.
struct Couriers {
  ScalingReading reading;
  ScalingInput now{.at = SteadyInstant(1h), .ready = 0, .couriers = 2, .settled = 0};

  ScalingFigures after_minute(std::int64_t ready, std::uint64_t settled) {
    now.at += 1min;
    now.ready = ready;
    now.settled += settled;
    return reading.read(now);
  }
  // Each shows 500 a second.
  void show_pace() {
    (void)after_minute(600'000, 0);
    (void)after_minute(540'000, 60'000);
  }
};

TEST(Scaling, SaysHowLongTheWorkTakesAtThePaceThatWasShown) {
  Couriers couriers;
  EXPECT_EQ(couriers.after_minute(0, 0).work_seconds, 0.0);
  const ScalingFigures unknown = couriers.after_minute(600'000, 0);
  EXPECT_EQ(unknown.backlog_per_courier, 300'000);
  EXPECT_EQ(unknown.work_seconds, std::nullopt) << "nobody has shown a pace";
  EXPECT_EQ(unknown.load, std::nullopt);
  const ScalingFigures shown = couriers.after_minute(540'000, 60'000);
  EXPECT_DOUBLE_EQ(*shown.work_seconds, 540);
  EXPECT_DOUBLE_EQ(*shown.load, 1 + 540.0 / 300);
}

TEST(Scaling, HalvesWhenCouriersDouble) {
  Couriers couriers;
  couriers.show_pace();
  couriers.now.couriers = 4;
  const ScalingFigures figures = couriers.after_minute(480'000, 60'000);
  EXPECT_DOUBLE_EQ(*figures.work_seconds, 240);
  EXPECT_DOUBLE_EQ(*figures.load, 0.5 + 240.0 / 300);
}

TEST(Scaling, KnowsHowMuchCouriersHaveToDoWhereNothingWaits) {
  Couriers couriers;
  couriers.show_pace();
  const ScalingFigures figures = couriers.after_minute(0, 18'000);
  EXPECT_EQ(figures.work_seconds, 0.0);
  EXPECT_DOUBLE_EQ(*figures.load, 0.3);
  EXPECT_DOUBLE_EQ(*couriers.after_minute(0, 0).load, 0);
}

TEST(Scaling, TakesLittleWorkForNoSlowness) {
  Couriers couriers;
  couriers.show_pace();
  for (int i = 0; i < 600; ++i) (void)couriers.after_minute(2, 60);
  EXPECT_DOUBLE_EQ(*couriers.after_minute(600'000, 0).work_seconds, 600);
}

TEST(Scaling, LearnsNoPaceFromThoseWhoHadLittleToDo) {
  Couriers couriers;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(couriers.after_minute(1, 60).load, std::nullopt);
  }
}

TEST(Scaling, BelievesBusyCouriersThatTheyAreSlower) {
  Couriers couriers;
  (void)couriers.after_minute(6'000'000, 0);
  (void)couriers.after_minute(6'000'000, 60'000);
  const double once = *couriers.after_minute(6'000'000, 6'000).work_seconds;
  EXPECT_GT(once, 6'000);
  EXPECT_LT(once, 20'000) << "one slow minute is not all";
  for (int i = 0; i < 20; ++i) (void)couriers.after_minute(6'000'000, 6'000);
  EXPECT_NEAR(*couriers.after_minute(6'000'000, 6'000).work_seconds, 60'000, 500);
}

TEST(Scaling, BelievesAtOnceThatTheyAreFaster) {
  Couriers couriers;
  couriers.show_pace();
  EXPECT_DOUBLE_EQ(*couriers.after_minute(0, 120'000).load, 1) << "without more left to do";
  EXPECT_DOUBLE_EQ(*couriers.after_minute(600'000, 0).work_seconds, 300);
}

TEST(Scaling, IsNotDisturbedByReadingsThatFollowEachOther) {
  Couriers couriers;
  couriers.show_pace();
  couriers.now.at += 1s;
  couriers.now.settled += 100'000;
  EXPECT_DOUBLE_EQ(*couriers.reading.read(couriers.now).work_seconds, 540);
}

TEST(Scaling, DoesNotCountWhatOthersWereTold) {
  Couriers couriers;
  couriers.show_pace();
  couriers.reading.interrupted();
  const ScalingFigures figures = couriers.after_minute(540'000, 6'000'000);
  EXPECT_DOUBLE_EQ(*figures.work_seconds, 540);
  EXPECT_EQ(figures.load, std::nullopt) << "what they did lately is not known";
}

TEST(Scaling, KnowsWhatNobodyWorksOn) {
  ScalingReading reading;
  const ScalingFigures figures =
      reading.read({.at = SteadyInstant(1h), .ready = 10, .couriers = 0, .settled = 0});
  EXPECT_EQ(figures.backlog_per_courier, 10);
  EXPECT_EQ(figures.work_seconds, std::nullopt);
}

}  // namespace
}  // namespace todoku::ops
