// SPDX-License-Identifier: Apache-2.0
// Three days on an installation as deploy/terraform has it: nothing waits for long, nobody flaps,
// and no courier is taken away that the rest cannot do without. The numbers of deploy/terraform
// themselves come in documents/capacity.
#include "scaling/curve_day.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace todoku::scaling {
namespace {

CurveOptions options_of(Curve curve) {
  return {.curve = curve,
          .accept_seconds = 0.0002,
          .zones = 3,
          .couriers = {.target = 70,
                       .capacity_min = 1,
                       .capacity_max = 4,
                       .cooldown_out = 300,
                       .cooldown_in = 300},
          .api = {.target = 60, .capacity_min = 3, .capacity_max = 24}};
}

double oldest_of(const CurveDay& day) {
  double oldest = 0;
  for (const CurveMinute& each : day.minutes) oldest = std::max(oldest, each.oldest_seconds);
  return oldest;
}

class CurveDays : public testing::TestWithParam<Curve> {
 protected:
  CurveDay day_ = play_curve(options_of(GetParam()));
};

TEST_P(CurveDays, LoseNothingAndEndWithNothingLeft) {
  double settled = 0;
  for (const CurveMinute& each : day_.minutes) {
    EXPECT_GE(each.settled, settled);
    EXPECT_NEAR(each.arrived, each.settled + each.waiting, 1);
    settled = each.settled;
  }
  EXPECT_EQ(day_.minutes.size(), 30U * 60U);
  EXPECT_NEAR(day_.minutes.back().settled, day_.minutes.back().arrived, 1);
}

TEST_P(CurveDays, NeverTakeAwayWhatIsNeededForWhatRuns) {
  EXPECT_GE(day_.spare_least, 0);
  for (const CurveMinute& each : day_.minutes) {
    EXPECT_GE(each.couriers, 3);
    EXPECT_LE(each.paid, 3 * 4);
    EXPECT_GE(each.paid, each.couriers);
  }
}

// Out at once and in, in as many steps as there are couriers in a zone; and once more for what is
// between.
TEST_P(CurveDays, DoNotFlap) {
  EXPECT_LE(day_.scalings, 2 * (4 - 1) + 2);
}

INSTANTIATE_TEST_SUITE_P(All, CurveDays,
                         testing::Values(Curve::quiet, Curve::noon, Curve::incident));

TEST(CurveDay, AQuietDayNeedsTheLeastAndNothingWaits) {
  const CurveDay day = play_curve(options_of(Curve::quiet));
  EXPECT_EQ(oldest_of(day), 0);
  EXPECT_EQ(day.scalings, 0);
}

TEST(CurveDay, TheBulkAtNoonIsDoneSoonerThanByTheLeast) {
  const CurveDay day = play_curve(options_of(Curve::noon));
  // At 6,000 a second eleven minutes; ten more until all of them work: the figure is two minutes
  // late, the alarm takes three, and instances five to be warm.
  EXPECT_LE(oldest_of(day), 25 * 60);
  EXPECT_EQ(std::ranges::max(day.minutes, {}, &CurveMinute::couriers).couriers, 12);
  CurveOptions least = options_of(Curve::noon);
  least.couriers.capacity_max = 1;
  EXPECT_GT(oldest_of(play_curve(least)), 40 * 60) << "the test sees what scaling is for";
  EXPECT_EQ(day.minutes.back().couriers, 3) << "and they go again";
}

TEST(CurveDay, AnIncidentIsCaughtUpWithInAnHour) {
  const CurveDay day = play_curve(options_of(Curve::incident));
  EXPECT_LE(oldest_of(day), 60 * 60);
  EXPECT_EQ(day.minutes[(19 * 60) + 30].waiting, 0);
}

// A figure without a delay's patience flaps, and the test would see it.
TEST(CurveDay, ATargetThatIsTooLowWantsMoreThanThereIs) {
  CurveOptions wild = options_of(Curve::noon);
  wild.couriers.target = 2;
  EXPECT_GT(play_curve(wild).scalings, play_curve(options_of(Curve::quiet)).scalings);
}

}  // namespace
}  // namespace todoku::scaling
