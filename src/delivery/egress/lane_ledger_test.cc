// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/lane_ledger.h"

#include <map>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::delivery::egress {
namespace {

using std::chrono::seconds;

constexpr policy::Flow kBulkFlow{TrafficClass::bulk, 1, 1, 1};
constexpr policy::Flow kUrgentFlow{TrafficClass::transactional, 2, 2, 1};

class LaneLedgerTest : public ::testing::Test {
 protected:
  LaneLedger<int> make(LaneLimits limits) { return LaneLedger<int>(limits, random_); }
  // Opens as many connections as the ledger wants; their routes in order.
  std::vector<std::string> open_all(LaneLedger<int>& ledger) const {
    std::vector<std::string> routes;
    while (const auto route = ledger.wants_connection(now_)) {
      ledger.connection_opening(*route);
      routes.push_back(*route);
    }
    return routes;
  }

  static std::vector<int> all_of(LaneLedger<int>& ledger) {
    std::vector<int> all;
    ledger.take_all(all);
    return all;
  }
  // The site fails; what waited.
  std::vector<int> fail_site(LaneLedger<int>& ledger) const {
    ledger.site_failed(now_);
    return all_of(ledger);
  }

  SeededRandom random_{1};
  SteadyInstant now_{seconds(100)};
};

TEST_F(LaneLedgerTest, OpensNoMoreConnectionsThanThereIsWorkOrLeave) {
  auto ledger = make({.connections_max = 3});
  EXPECT_TRUE(open_all(ledger).empty());
  ledger.add("mx", kBulkFlow, 1);
  EXPECT_EQ(open_all(ledger).size(), 1U);
  for (int i = 0; i < 100; ++i) ledger.add("mx", kBulkFlow, i);
  EXPECT_EQ(open_all(ledger).size(), 2U) << "three in all";
}

TEST_F(LaneLedgerTest, TheRestAfterAFailureIsNotAsLongAsAPlanHoldsIt) {
  auto ledger = make({.connections_max = 1});
  ledger.site_failed(now_);
  const SteadyInstant rests = ledger.rests_until();
  EXPECT_EQ(ledger.failed_until(), rests);
  ledger.hold(rests + seconds(3'600));
  EXPECT_EQ(ledger.rests_until(), rests + seconds(3'600));
  EXPECT_EQ(ledger.failed_until(), rests);
}

TEST_F(LaneLedgerTest, RoutesShareTheConnectionsOfTheirSite) {
  auto ledger = make({.connections_max = 4});
  for (int i = 0; i < 50; ++i) {
    ledger.add("mx1", kBulkFlow, i);
    ledger.add("mx2", kBulkFlow, i);
  }
  auto routes = open_all(ledger);
  std::ranges::sort(routes);
  EXPECT_EQ(routes, (std::vector<std::string>{"mx1", "mx1", "mx2", "mx2"}));
}

TEST_F(LaneLedgerTest, AnIdleConnectionIsUsedBeforeAnotherIsOpened) {
  auto ledger = make({.connections_max = 5});
  ledger.add("mx", kBulkFlow, 1);
  EXPECT_EQ(open_all(ledger).size(), 1U);
  EXPECT_EQ(ledger.take("mx", 8, now_).size(), 1U);
  ledger.connection_opened("mx");
  ledger.connection_idle("mx", true);
  ledger.add("mx", kBulkFlow, 2);
  EXPECT_TRUE(open_all(ledger).empty());
  ledger.add("mx", kBulkFlow, 3);
  EXPECT_EQ(open_all(ledger).size(), 1U);
}

TEST_F(LaneLedgerTest, TransactionalOvertakesWhatWaits) {
  auto ledger = make({});
  for (int i = 0; i < 100; ++i) ledger.add("mx", kBulkFlow, i);
  ledger.add("mx", kUrgentFlow, 777);
  EXPECT_EQ(ledger.take("mx", 2, now_), (std::vector<int>{777, 0}));
}

TEST_F(LaneLedgerTest, NeverGivesOutMoreThanThePace) {
  auto ledger = make({.messages_per_second = 100});
  for (int i = 0; i < 1000; ++i) ledger.add("mx", kBulkFlow, i);
  std::size_t taken = 0;
  for (int ms = 0; ms < 2000; ++ms, now_ += std::chrono::milliseconds(1)) {
    taken += ledger.take("mx", 32, now_).size();
  }
  EXPECT_GE(taken, 200U);
  EXPECT_LE(taken, 202U);
  EXPECT_GT(ledger.next_permit_at(), now_ - std::chrono::milliseconds(10));
}

TEST_F(LaneLedgerTest, AFailedSiteRestsAndGivesUpWhatWaits) {
  auto ledger = make({.backoff = {.first = seconds(10), .longest = seconds(60), .jitter = 0}});
  for (int i = 0; i < 5; ++i) ledger.add("mx", kBulkFlow, i);
  EXPECT_EQ(open_all(ledger).size(), 5U);
  const auto given_up = fail_site(ledger);
  EXPECT_EQ(given_up.size(), 5U);
  EXPECT_TRUE(ledger.resting(now_));
  ledger.add("mx", kBulkFlow, 9);
  EXPECT_FALSE(ledger.wants_connection(now_));
  EXPECT_TRUE(ledger.take("mx", 1, now_).empty());
}

TEST_F(LaneLedgerTest, WhatWaitsInVainIsTakenOutByDelivery) {
  auto ledger = make({});
  for (int i = 0; i < 6; ++i) {
    ledger.add(i % 2 == 0 ? "mx1" : "mx2", {TrafficClass::bulk, 1, i < 4 ? 1 : 2, 1}, i);
  }
  std::vector<int> taken;
  const auto take = [&](int item) {
    if (taken.size() == 3) throw std::bad_alloc();
    taken.push_back(item);
  };
  EXPECT_THROW(ledger.remove_deliveries_if([](int item) { return item < 4; }, take),
               std::bad_alloc);
  EXPECT_EQ(taken, (std::vector<int>{0, 2, 1}));
  EXPECT_EQ(ledger.waiting(), 3U);
  EXPECT_EQ(all_of(ledger), (std::vector<int>{4, 3, 5}));
  EXPECT_FALSE(ledger.knows("mx1"));
  EXPECT_FALSE(ledger.knows("mx2"));
}

TEST_F(LaneLedgerTest, AfterARestOneConnectionProbesWithOneMail) {
  auto ledger = make({.backoff = {.first = seconds(10), .longest = seconds(60), .jitter = 0}});
  (void)fail_site(ledger);
  now_ += seconds(10);
  for (int i = 0; i < 50; ++i) ledger.add("mx", kBulkFlow, i);
  EXPECT_EQ(open_all(ledger).size(), 1U);
  EXPECT_EQ(ledger.take("mx", 32, now_).size(), 1U);
  ledger.connection_opened("mx");
  EXPECT_EQ(open_all(ledger).size(), 0U) << "a greeting is no success yet";
  ledger.served(now_);
  EXPECT_GT(open_all(ledger).size(), 1U) << "a success ends the suspicion";
  EXPECT_EQ(ledger.take("mx", 32, now_).size(), 32U);
}

TEST_F(LaneLedgerTest, ASiteThatGreetsAndTakesNothingRestsLongerEachTime) {
  auto ledger = make({.backoff = {.first = seconds(10), .longest = seconds(60), .jitter = 0}});
  for (const int rest : {10, 20, 40, 60, 60}) {
    ledger.add("mx", kBulkFlow, 1);
    EXPECT_EQ(open_all(ledger).size(), 1U);
    EXPECT_EQ(ledger.take("mx", 1, now_).size(), 1U);
    ledger.connection_opened("mx");
    (void)fail_site(ledger);
    ledger.connection_closed("mx", true);
    EXPECT_EQ(ledger.rests_until() - now_, seconds(rest));
    now_ = ledger.rests_until();
  }
}

TEST_F(LaneLedgerTest, AnAnswerOfBeforeDoesNotEndARest) {
  auto ledger = make({.backoff = {.first = seconds(10), .longest = seconds(60), .jitter = 0}});
  (void)fail_site(ledger);
  ledger.served(now_ + seconds(1));
  EXPECT_TRUE(ledger.resting(now_ + seconds(2)));
  EXPECT_EQ(ledger.failures(), 1U);
}

TEST_F(LaneLedgerTest, ForgetsRoutesWithoutWorkAndConnections) {
  auto ledger = make({});
  ledger.add("mx", kBulkFlow, 1);
  (void)open_all(ledger);
  (void)ledger.take("mx", 1, now_);
  ledger.connection_closed("mx", false);
  EXPECT_EQ(ledger.connections(), 0U);
  EXPECT_EQ(ledger.waiting(), 0U);
  EXPECT_FALSE(ledger.wants_connection(now_));
  EXPECT_FALSE(ledger.knows("mx"));
  ledger.add("mx", kBulkFlow, 1);
  ledger.add("other", kBulkFlow, 1);
  ledger.connection_opening("mx");
  (void)fail_site(ledger);
  EXPECT_TRUE(ledger.knows("mx")) << "it has a connection";
  EXPECT_FALSE(ledger.knows("other"));
}

TEST_F(LaneLedgerTest, AnAdaptiveLaneBeginsWithFewConnectionsAndOpensMoreAsAnswersAreGood) {
  auto ledger = make({.connections_max = 8, .adaptive = true});
  for (int i = 0; i < 1'000; ++i) ledger.add("mx", kBulkFlow, i);
  EXPECT_EQ(open_all(ledger).size(), 1U);
  EXPECT_EQ(ledger.take("mx", 32, now_).size(), 1U) << "five a second, to begin with";
  EXPECT_FALSE(ledger.answered({.count = 1, .latency = seconds(0)}, now_));
  EXPECT_TRUE(open_all(ledger).empty());
  for (int round = 0; round < 25; ++round) {
    now_ += std::chrono::milliseconds(20);
    EXPECT_FALSE(ledger.answered({.count = 20, .latency = seconds(0)}, now_));
  }
  EXPECT_EQ(open_all(ledger).size(), 7U) << "eight in all, as the rule says";
}

TEST_F(LaneLedgerTest, UrgentMailBehindSlowAnswersGetsConnectionsUpToTheRules) {
  auto ledger = make({.connections_max = 4, .adaptive = true});
  for (int i = 0; i < 100; ++i) ledger.add("mx", kBulkFlow, i);
  const std::size_t gently = open_all(ledger).size();
  EXPECT_LT(gently, 4U);
  for (std::size_t i = 0; i < gently; ++i) ledger.connection_opened("mx");
  ledger.add("mx", kUrgentFlow, 777);
  EXPECT_TRUE(ledger.urgent_waits("mx"));
  EXPECT_EQ(open_all(ledger).size(), 4U - gently) << "four in all";
  EXPECT_EQ(ledger.take("mx", 1, now_), (std::vector<int>{777}));
  EXPECT_FALSE(ledger.urgent_waits("mx"));
}

TEST_F(LaneLedgerTest, TooMuchSlowsAnAdaptiveLaneAndLetsAnotherRest) {
  const policy::PaceAnswer too_fast{.reply = policy::PaceReply::too_fast};
  auto adaptive = make({.adaptive = true});
  EXPECT_FALSE(adaptive.answered(too_fast, now_));
  EXPECT_LT(adaptive.pace().messages_per_second(now_), 5);
  EXPECT_FALSE(adaptive.resting(now_));
  auto fixed = make({});
  EXPECT_TRUE(fixed.answered(too_fast, now_));
}

TEST_F(LaneLedgerTest, ASuspendedLaneGivesNothingOutAndThenProbes) {
  auto ledger = make({.adaptive = true});
  for (int i = 0; i < 100; ++i) ledger.add("mx", kBulkFlow, i);
  ledger.pace().suspend(now_ + seconds(60));
  EXPECT_TRUE(ledger.resting(now_));
  EXPECT_EQ(ledger.rests_until(), now_ + seconds(60));
  EXPECT_TRUE(open_all(ledger).empty());
  EXPECT_TRUE(ledger.take("mx", 1, now_).empty());
  now_ += seconds(60);
  EXPECT_EQ(open_all(ledger).size(), 1U);
  EXPECT_EQ(ledger.take("mx", 10, now_).size(), 1U);
}

// What a lane gives out while everybody has mail waiting, by delivery.
TEST_F(LaneLedgerTest, AccountsShareByWeightTheirDeliveriesEvenlyAndBulkKeepsATenth) {
  auto ledger = make({});
  const auto flow = [](TrafficClass traffic, int account, int delivery, std::uint32_t weight) {
    return policy::Flow{traffic, account, delivery, weight};
  };
  for (int i = 0; i < 4'000; ++i) {
    ledger.add("mx", flow(TrafficClass::bulk, 1, 11, 1), 11);
    ledger.add("mx", flow(TrafficClass::bulk, 1, 12, 1), 12);
    ledger.add("mx", flow(TrafficClass::bulk, 2, 21, 3), 21);
  }
  std::map<int, int> taken;
  for (int i = 0; i < 100; ++i) {
    for (const int delivery : ledger.take("mx", 40, now_)) ++taken[delivery];
  }
  EXPECT_EQ(taken[21], 3'000) << "weight 3 of 4";
  EXPECT_EQ(taken[11], 500);
  EXPECT_EQ(taken[12], 500);
  for (int i = 0; i < 4'000; ++i) ledger.add("mx", flow(TrafficClass::transactional, 3, 31, 1), 31);
  taken.clear();
  for (int i = 0; i < 100; ++i) {
    for (const int delivery : ledger.take("mx", 40, now_)) ++taken[delivery];
  }
  EXPECT_EQ(taken[31], 3'600);
  EXPECT_EQ(taken[11] + taken[12] + taken[21], 400);
}

TEST_F(LaneLedgerTest, NothingIsLostOrDoubledWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    LaneLedger<int> ledger({.connections_max = 3, .messages_per_second = 500}, random);
    std::vector<int> seen(200, 0);
    int added = 0;
    for (int step = 0; step < 2000; ++step, now_ += std::chrono::milliseconds(7)) {
      const std::string route = random.below(2) == 0 ? "a" : "b";
      switch (random.below(8)) {
        case 0:
          ledger.site_failed(now_);
          (void)all_of(ledger);
          break;
        default: {
          for (const int item : ledger.take(route, 5, now_)) {
            // Some are given back, as by a connection that broke.
            if (random.below(4) == 0) {
              ledger.add(route, kBulkFlow, item);
            } else {
              ++seen[static_cast<std::size_t>(item)];
            }
          }
          if (added < 200)
            ledger.add(route, random.below(3) == 0 ? kUrgentFlow : kBulkFlow, added++);
        }
      }
    }
    for (const int item : all_of(ledger)) ++seen[static_cast<std::size_t>(item)];
    EXPECT_LE(*std::ranges::max_element(seen), 1);
    EXPECT_EQ(ledger.waiting(), 0U);
  }
}

}  // namespace
}  // namespace todoku::delivery::egress
