// SPDX-License-Identifier: Apache-2.0
#include "operate/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::operate {
namespace {

using delivery::policy::parse_day;
using store::WarmUpCount;

ConfiguredSource warming() {
  return {.name = "news-3",
          .traffic = "bulk",
          .via = {},
          .plan = delivery::policy::WarmUpPlan{.first_day = parse_day("2026-12-01").value(),
                                               .volumes = {100, 100, 400}}};
}

TEST(SourceView, TellsWhatIsLeftOfTheDayInAllAndForEachReceiver) {
  const auto today = parse_day("2026-12-03").value();
  const std::vector<WarmUpCount> counts = {
      {today, "", 70},          {today, "gmail", 50}, {today, "docomo", 20}, {today - 1, "", 40},
      {today - 1, "gmail", 40}, {today - 2, "", 95},  {today - 3, "", 1'000}};
  const SourceView view = source_view(warming(), counts, today);
  EXPECT_EQ(view.state, WarmUpState::warming_up);
  EXPECT_EQ(view.today, "2026-12-03");
  EXPECT_EQ(view.step, 2U) << "nine tenths went on the first day, and not on the second";
  EXPECT_EQ(view.volume.volume, 100);
  EXPECT_EQ(view.volume.taken, 70);
  EXPECT_EQ(view.volume.left(), 30);
  ASSERT_EQ(view.receivers.size(), 2U);
  EXPECT_EQ(view.receivers[0].receiver, "docomo");
  EXPECT_EQ(view.receivers[0].volume.left(), 30);
  EXPECT_EQ(view.receivers[1].volume.volume, 50);
  EXPECT_EQ(view.receivers[1].volume.left(), 0);
  ASSERT_EQ(view.days.size(), 2U) << "none from before the plan";
  EXPECT_EQ(view.days[0].day, "2026-12-02");
  EXPECT_EQ(view.days[1].taken, 95);
}

TEST(SourceView, OfOneThatHasNotBegunIsOverOrHasNoPlan) {
  const auto first = parse_day("2026-12-01").value();
  EXPECT_EQ(source_view(warming(), {}, first - 1).state, WarmUpState::not_begun);
  EXPECT_EQ(source_view(warming(), {}, first).step, 1U);
  const std::vector<WarmUpCount> all = {
      {first, "", 100}, {first + 1, "", 100}, {first + 2, "", 400}};
  const SourceView over = source_view(warming(), all, first + 3);
  EXPECT_EQ(over.state, WarmUpState::over);
  EXPECT_EQ(over.step, 0U);
  ConfiguredSource known = warming();
  known.plan.reset();
  EXPECT_EQ(source_view(known, {}, first).state, WarmUpState::no_plan);
}

}  // namespace
}  // namespace todoku::operate
