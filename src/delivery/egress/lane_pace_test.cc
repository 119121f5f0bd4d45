// SPDX-License-Identifier: Apache-2.0
// What receivers' answers make of a lane's pace.
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"
#include "support/installation.h"

namespace todoku::delivery::egress {
namespace {

constexpr std::string_view kTooMuch = "450 4.7.1 Error: too much mail from 192.0.2.1";

// An answer is told the lane after it is recorded, and the scheduler after the lane.
void wait_until_it_rests(LaneTestWorld& world) {
  world.tidy_until([&] {
    const auto figures = world.lanes.figures_of("example.jp", "main");
    return figures && figures->resting && world.feedback.count > 0;
  });
}

TEST(LanePace, TooMuchMakesALaneSlowerAndOnlyTheThirdInARowLetsItRest) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.adapt();
  world.script().answers["MAIL"] = std::string(kTooMuch);
  world.send();
  world.tidy_until_all_is_told();
  wait_until_it_rests(world);
  const auto figures = world.lanes.figures_of("example.jp", "main");
  ASSERT_TRUE(figures);
  EXPECT_LT(figures->messages_per_second, 5);
  for (const auto& [address, told] : world.recorder.told()) EXPECT_FALSE(told.parked) << address;
  EXPECT_EQ(figures->failures, 1U);
  EXPECT_EQ(world.feedback.count, 1);
  EXPECT_EQ(figures->slowed_by.code, 450);
  world.drain();
  world.check_that_all_is_free();
}

policy::Automations automations(std::string_view text) {
  return policy::Automations::parse(
             std::array{policy::Automations::Layer{"own.toml", std::string(text)}})
      .value();
}

// What the lane does when nothing waits and no connection is open, for longer than its pace alone
// would keep it. `what`: of an automation that counts answers of the class `rate`.
std::optional<Lane::Figures> figures_of_idle_lane(std::string_view what) {
  policy::put_in_force(
      automations("[[automation]]\nid = \"own\"\nsites = [\"example.jp\"]\ncauses = [\"rate\"]\n" +
                  std::string(what) + "source = \"s\"\ndate = 2026-11-30\n"));
  Fault none;
  LaneTestWorld world(none, 1);
  world.adapt();
  world.rest_never();
  world.script().answers["MAIL"] = std::string(kTooMuch);
  world.send();
  world.tidy_until_all_is_told();
  std::optional<Lane::Figures> figures;
  const auto now_and_then = [&] {
    (void)world.recorder.knows(kMails + 1);  // waits a moment
    figures = world.lanes.figures_of("example.jp", "main");
  };
  world.tidy_until([&] {
    now_and_then();
    return !figures || (figures->connections == 0 && figures->waiting == 0);
  });
  const SystemClock clock;
  const SteadyInstant paced = figures ? figures->next_permit_at + 200ms : SteadyInstant{};
  world.tidy_until([&] {
    now_and_then();
    return !figures || clock.steady_now() > paced;
  });
  world.drain();
  world.check_that_all_is_free();
  policy::put_in_force(policy::Automations());
  return figures;
}

TEST(LanePace, ASlowDownOutlivesAnIdleLane) {
  const auto figures = figures_of_idle_lane("slow_to = 3.0\nslow_seconds = 600\n");
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->why.reason, policy::PaceReason::slowed);
}

TEST(LanePace, WhatCountsForAnAutomationOutlivesAnIdleLane) {
  EXPECT_TRUE(
      figures_of_idle_lane("times = 9\nwithin_seconds = 600\nslow_to = 3.0\nslow_seconds = 9\n"));
}

TEST(LanePace, AnyOtherIdleLaneIsForgotten) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.adapt();
  world.send();
  world.tidy_until_all_is_told();
  world.tidy_until([&] {
    (void)world.recorder.knows(kMails + 1);
    return !world.lanes.figures_of("example.jp", "main");
  });
  EXPECT_FALSE(world.lanes.figures_of("example.jp", "main"));
  world.drain();
  world.check_that_all_is_free();
}

TEST(LanePace, AnAutomationLetsTheSourceRestAtTheSite) {
  policy::put_in_force(
      automations("[[automation]]\nid = \"rest\"\nsites = [\"example.jp\"]\ncauses = [\"rate\"]\n"
                  "suspend_seconds = 600\nsource = \"s\"\ndate = 2026-11-30\n"));
  Fault none;
  LaneTestWorld world(none, 1);
  world.adapt();
  world.script().answers["MAIL"] = std::string(kTooMuch);
  world.send();
  world.tidy_until_all_is_told();
  wait_until_it_rests(world);
  const auto figures = world.lanes.figures_of("example.jp", "main");
  ASSERT_TRUE(figures);
  EXPECT_TRUE(figures->resting);
  EXPECT_EQ(figures->why.reason, policy::PaceReason::suspended);
  EXPECT_EQ(figures->failures, 0U) << "it is no failure of the site";
  EXPECT_EQ(world.feedback.count, 1) << "the scheduler knows";
  int tried = 0;
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.times, 1) << address;
    if (!told.parked) ++tried;
  }
  EXPECT_EQ(tried, 1) << "the others wait, with no attempt";
  world.drain();
  world.check_that_all_is_free();
  policy::put_in_force(policy::Automations());
}

TEST(LaneWarmUp, ADaysVolumeIsNotPassedAndTheRestWaitsWithoutAnAttempt) {
  TestStore store;
  const SystemClock clock;
  Metrics metrics;
  WarmUp plans(
      {{"main",
        {.first_day = policy::day_of(store.clock.now(), std::chrono::minutes(0)), .volumes = {2}}}},
      std::chrono::minutes(0), *store.store, clock, metrics);
  Fault none;
  LaneTestWorld world(none, 4);
  world.warm_up(plans);
  world.send();
  world.tidy_until_all_is_told();
  wait_until_it_rests(world);
  const auto figures = world.lanes.figures_of("example.jp", "main");
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->why.reason, policy::PaceReason::warming_up);
  EXPECT_EQ(figures->failures, 0U);
  EXPECT_EQ(world.feedback.count, 2) << "the scheduler knows, of small domains, too";
  std::size_t parked = 0;
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.times, 1) << address;
    if (told.parked) ++parked;
  }
  EXPECT_EQ(parked, kMails - 2);
  world.drain();
  EXPECT_EQ(world.taken().size(), 2U);
  world.check_that_all_is_free();
}

}  // namespace
}  // namespace todoku::delivery::egress
