// SPDX-License-Identifier: Apache-2.0
// What receivers' answers make of a lane's pace.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"

namespace todoku::delivery::egress {
namespace {

constexpr std::string_view kTooMuch = "450 4.7.1 Error: too much mail from 192.0.2.1";

TEST(LanePace, TooMuchMakesALaneSlowerAndOnlyTheThirdInARowLetsItRest) {
  Fault none;
  LaneTestWorld world(none, 1);
  world.script().answers["MAIL"] = std::string(kTooMuch);
  world.send();
  world.tidy_until_all_is_told();
  // The last answer is told the lane after it is recorded.
  world.tidy_until([&] { return world.lanes.figures_of("example.jp", "main")->failures > 0; });
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

TEST(LanePace, AnAutomationLetsTheSourceRestAtTheSite) {
  const auto automations = [](std::string_view text) {
    return policy::Automations::parse(
               std::array{policy::Automations::Layer{"own.toml", std::string(text)}})
        .value();
  };
  policy::put_in_force(
      automations("[[automation]]\nid = \"rest\"\nsites = [\"example.jp\"]\ncauses = [\"rate\"]\n"
                  "suspend_seconds = 600\nsource = \"s\"\ndate = 2026-11-30\n"));
  Fault none;
  LaneTestWorld world(none, 1);
  world.script().answers["MAIL"] = std::string(kTooMuch);
  world.send();
  world.tidy_until_all_is_told();
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

}  // namespace
}  // namespace todoku::delivery::egress
