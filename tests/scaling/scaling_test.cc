// SPDX-License-Identifier: Apache-2.0
// The recommended target (docs/scale.md) neither flaps nor lags; other figures do one or the other.
// TODOKU_SCALING_FIGURE=work_seconds|backlog_per_courier|queue_depth|processor plays the test of
// the recommended one with another figure: it fails then, as it should.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <gtest/gtest.h>

#include "scaling/day.h"

namespace todoku::scaling {
namespace {

constexpr std::uint64_t kDays = 60;
constexpr std::uint64_t kDaysOfOthers = 12;
// Out and in again at each peak and once over the day, and half as much for what is between.
constexpr std::int64_t kTurnsMax = (kPeaks + 1) * 2 * 3 / 2;
// At the most couriers that there may be, the largest peak takes four minutes; ten minutes more are
// the metric's delay, the alarm's three minutes and the start of tasks, twice.
constexpr double kOldestMax = 14 * 60;

double target_of(Figure figure) {
  switch (figure) {
    case Figure::load:
      return 0.7;
    case Figure::work_seconds:
      return 120;
    case Figure::backlog_per_courier:
    case Figure::queue_depth:
      return 60'000;
    case Figure::processor:
      return 0.6;
  }
  return 1;
}

DayResult play(Figure figure, std::uint64_t seed, double receivers_take = 0) {
  DayOptions options{.seed = seed, .figure = figure, .tracking = {}, .receivers_take = 0};
  options.tracking.target = target_of(figure);
  options.receivers_take = receivers_take;
  return play_day(options);
}

Figure wanted_figure() {
  const char* const named = std::getenv("TODOKU_SCALING_FIGURE");
  const std::string_view name = named == nullptr ? "load" : named;
  if (name == "work_seconds") return Figure::work_seconds;
  if (name == "backlog_per_courier") return Figure::backlog_per_courier;
  if (name == "queue_depth") return Figure::queue_depth;
  if (name == "processor") return Figure::processor;
  return Figure::load;
}

bool holds(const DayResult& day) {
  return day.turns <= kTurnsMax && day.oldest_seconds <= kOldestMax;
}

TEST(Scaling, NeitherFlapsNorLags) {
  double hours = 0;
  std::int64_t turns = 0;
  double oldest = 0;
  for (std::uint64_t seed = 0; seed < kDays; ++seed) {
    const DayResult day = play(wanted_figure(), seed);
    EXPECT_LE(day.turns, kTurnsMax) << "seed " << seed;
    EXPECT_LE(day.oldest_seconds, kOldestMax) << "seed " << seed;
    hours += day.courier_hours;
    turns = std::max(turns, day.turns);
    oldest = std::max(oldest, day.oldest_seconds);
  }
  std::printf("%d days: at most %d turns, %.0f s for the oldest; %.0f courier hours a day\n",
              static_cast<int>(kDays), static_cast<int>(turns), oldest,
              hours / static_cast<double>(kDays));
}

// How many of the days hold with another figure.
std::int64_t days_that_hold(Figure figure) {
  std::int64_t good = 0;
  for (std::uint64_t seed = 0; seed < kDaysOfOthers; ++seed)
    good += holds(play(figure, seed)) ? 1 : 0;
  return good;
}

TEST(Scaling, FlapsByWorkThatWaitsAlone) {
  EXPECT_EQ(days_that_hold(Figure::work_seconds), 0);
  EXPECT_EQ(days_that_hold(Figure::backlog_per_courier), 0);
}

TEST(Scaling, FlapsByTheDepthOfTheQueue) {
  EXPECT_EQ(days_that_hold(Figure::queue_depth), 0);
}

TEST(Scaling, LagsByTheProcessor) {
  EXPECT_EQ(days_that_hold(Figure::processor), 0);
}

TEST(Scaling, IsBoundedWhereReceiversAreTheLimit) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const DayResult day = play(Figure::load, seed, 3'000);
    // More couriers do not help there, and as many as may be are what it costs.
    EXPECT_LE(day.turns, kTurnsMax) << "seed " << seed;
    EXPECT_LE(day.couriers_max, TrackingOptions{}.capacity_max);
  }
}

TEST(Scaling, OneSeedIsOneDay) {
  const DayResult one = play(Figure::load, 7);
  const DayResult other = play(Figure::load, 7);
  EXPECT_EQ(one.turns, other.turns);
  EXPECT_EQ(one.courier_hours, other.courier_hours);
}

}  // namespace
}  // namespace todoku::scaling
