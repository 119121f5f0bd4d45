// SPDX-License-Identifier: Apache-2.0
// Sources that are warming up, on a real store.
#include "delivery/warm_up.h"

#include <string>

#include <gtest/gtest.h>

#include "support/installation.h"

namespace todoku::delivery {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// The clock of tests stands at midnight, UTC.
class WarmUpTest : public ::testing::Test {
 protected:
  policy::WarmUpPlan plan() {
    return {.first_day = policy::day_of(store_.clock.now(), minutes(0)),
            .volumes = {10, 20},
            .site_percent = 50};
  }
  WarmUp process(policy::WarmUpPlan plan) {
    return {{{"new", std::move(plan)}}, minutes(0), *store_.store, store_.clock, metrics_};
  }
  WarmUp process() { return process(plan()); }
  // Sends as a lane does until nothing is granted any more.
  std::int64_t send_all(WarmUp& warm_up, const std::string& site) {
    for (std::int64_t sent = 0;;) {
      const std::int64_t more = warm_up.take("new", site, 7).count;
      sent += more;
      if (sent > 1'000) return sent;
      if (more > 0) continue;
      const auto answer = run(warm_up.ask("new", site, 7));
      EXPECT_TRUE(answer);
      if (!answer || !answer->granted) return sent;
    }
  }

  TestStore store_;
  Metrics metrics_;
};

TEST_F(WarmUpTest, ProcessesTogetherKeepToTheDay) {
  WarmUp one = process();
  WarmUp other = process();
  EXPECT_TRUE(one.has_plan("new"));
  EXPECT_FALSE(one.has_plan("old"));
  EXPECT_EQ(send_all(one, "gmail"), 5) << "half of the day is one receiver's";
  EXPECT_TRUE(one.is_full("new", "gmail"));
  EXPECT_FALSE(one.is_full("new", "docomo"));
  EXPECT_EQ(send_all(other, "gmail"), 0);
  EXPECT_EQ(send_all(other, ""), 5);
  EXPECT_TRUE(other.is_full("new", "docomo")) << "the day is";
  EXPECT_EQ(send_all(one, "docomo"), 0);
  WarmUp restarted = process();
  EXPECT_EQ(send_all(restarted, "docomo"), 0) << "the store knows";
}

TEST_F(WarmUpTest, TomorrowIsTheNextStepIfTodayWasUsed) {
  WarmUp warm_up = process();
  EXPECT_EQ(send_all(warm_up, "gmail"), 5);
  const auto full = run(warm_up.ask("new", "gmail", 1));
  ASSERT_TRUE(full);
  EXPECT_EQ(full->full_until, store_.clock.steady_now() + hours(24) + Milliseconds(1));
  store_.clock.advance(hours(24) + Milliseconds(2));
  EXPECT_FALSE(warm_up.is_full("new", "gmail"));
  EXPECT_EQ(send_all(warm_up, "gmail"), 5) << "only half of the volume went yesterday";
  EXPECT_EQ(send_all(warm_up, ""), 5);
  store_.clock.advance(hours(24));
  EXPECT_EQ(send_all(warm_up, "gmail"), 10);
  EXPECT_EQ(send_all(warm_up, ""), 10);
  store_.clock.advance(hours(24));
  EXPECT_GT(send_all(warm_up, "gmail"), 1'000) << "the plan is over";
}

TEST_F(WarmUpTest, APlanIsOverForGood) {
  const policy::WarmUpPlan begun = plan();
  WarmUp warm_up = process(begun);
  EXPECT_EQ(send_all(warm_up, ""), 10);
  store_.clock.advance(hours(24) * 450);
  EXPECT_EQ(send_all(warm_up, ""), 20) << "the first day in use is known still";
  store_.clock.advance(hours(24) * 450);
  WarmUp restarted = process(begun);
  EXPECT_GT(send_all(restarted, ""), 1'000);
}

TEST_F(WarmUpTest, WhatWasNotBegunIsNotUsedUp) {
  WarmUp warm_up = process();
  ASSERT_TRUE(run(warm_up.ask("new", "gmail", 1))->granted);
  const WarmUp::Permits permits = warm_up.take("new", "gmail", 1);
  ASSERT_EQ(permits.count, 1);
  warm_up.give_back("new", "gmail", permits);
  run([](WarmUp& each) -> Task<int> {
    co_await each.hand_back("new");
    co_return 0;
  }(warm_up));
  EXPECT_EQ(warm_up.take("new", "gmail", 1).count, 0);
  WarmUp next = process();
  EXPECT_EQ(send_all(next, "gmail"), 5);
}

TEST_F(WarmUpTest, WhatComesBackAfterASourceWasHandedOnIsTheNextOnes) {
  WarmUp warm_up = process();
  ASSERT_TRUE(run(warm_up.ask("new", "gmail", 1))->granted);
  const WarmUp::Permits permits = warm_up.take("new", "gmail", 1);
  ASSERT_EQ(permits.count, 1);
  const auto hand_back = [](WarmUp& each) -> Task<int> {
    co_await each.hand_back("new");
    co_return 0;
  };
  run(hand_back(warm_up));
  warm_up.give_back("new", "gmail", permits);
  run(hand_back(warm_up));
  WarmUp next = process();
  EXPECT_EQ(send_all(next, "gmail"), 5);
}

TEST_F(WarmUpTest, WhatWaitsForTomorrowIsNobodyElses) {
  policy::WarmUpPlan waits = plan();
  waits.overflows = false;
  WarmUp warm_up = process(waits);
  EXPECT_EQ(send_all(warm_up, ""), 10);
  EXPECT_FALSE(warm_up.is_full("new", ""));
  EXPECT_FALSE(warm_up.is_full("new", "gmail"));
}

TEST_F(WarmUpTest, NothingGoesBeforeTheFirstDay) {
  policy::WarmUpPlan later = plan();
  ++later.first_day;
  later.overflows = false;
  WarmUp warm_up = process(later);
  const auto answer = run(warm_up.ask("new", "gmail", 1));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->granted);
  EXPECT_FALSE(answer->overflows);
  EXPECT_EQ(answer->begins, policy::next_day(store_.clock.now(), minutes(0)));
  store_.clock.advance(hours(24) + Milliseconds(2));
  const auto begun = run(warm_up.ask("new", "gmail", 1));
  ASSERT_TRUE(begun);
  EXPECT_TRUE(begun->granted);
  EXPECT_FALSE(begun->begins);
}

}  // namespace
}  // namespace todoku::delivery
