// SPDX-License-Identifier: Apache-2.0
// Leases of nodes as seen by their holder (lease_life.h) and by who looks after them
// (node_watch.h), who may be alone (sole_watch.h), and which source sends what (pools.h).
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "delivery/policy/lease_life.h"
#include "delivery/policy/node_watch.h"
#include "delivery/policy/pools.h"
#include "delivery/policy/sole_watch.h"

namespace todoku::delivery::policy {
namespace {

using std::chrono::seconds;

// ---- the holder ------------------------------------------------------------------------------

TEST(LeaseLife, CountsFromTheQuestionAndLeavesAMargin) {
  LeaseLife life;
  SteadyInstant now{seconds(100)};
  EXPECT_FALSE(life.holds(now)) << "before anything was confirmed";
  life.renewed(now, seconds(15));
  EXPECT_TRUE(life.holds(now + seconds(12)));
  EXPECT_FALSE(life.holds(now + seconds(13)));
}

TEST(LeaseLife, AnAnswerThatComesLateShortensNothing) {
  LeaseLife life;
  const SteadyInstant now{seconds(100)};
  life.renewed(now + seconds(3), seconds(15));
  life.renewed(now, seconds(15));  // asked before, answered after
  EXPECT_EQ(life.until(), now + seconds(16));
  life.lost();
  EXPECT_FALSE(life.holds(now));
}

// ---- who looks after them --------------------------------------------------------------------

class NodeWatchTest : public ::testing::Test {
 protected:
  using Ids = std::vector<std::int64_t>;
  // Looks every 3 s for as long, with what is left of node 7's lease going down from `left`.
  Ids look_for(Milliseconds time, Milliseconds left) {
    Ids dead;
    for (Milliseconds passed(0); passed <= time; passed += seconds(3), now_ += seconds(3)) {
      for (const auto id : watch_.look({{7, left - passed}, {1, seconds(15)}}, 1, now_, now_)) {
        dead.push_back(id);
      }
    }
    return dead;
  }

  NodeWatch watch_;
  SteadyInstant now_{seconds(1'000)};
};

TEST_F(NodeWatchTest, ALapsedNodeIsDeadToWhoHasLookedLongEnough) {
  EXPECT_EQ(look_for(seconds(12), seconds(15)), Ids{});
  EXPECT_EQ(watch_.look({{7, seconds(0)}, {1, seconds(15)}}, 1, now_, now_), Ids{7});
}

TEST_F(NodeWatchTest, WhoHasJustComeBuriesNobody) {
  EXPECT_EQ(look_for(seconds(9), seconds(-60)), Ids{}) << "it may be about to renew";
  EXPECT_EQ(watch_.look({{7, seconds(-72)}}, 1, now_, now_), Ids{7});
}

TEST_F(NodeWatchTest, AfterTheStoreWasAwayEverybodyHasTimeToRenew) {
  EXPECT_EQ(look_for(seconds(12), seconds(600)), Ids{});
  watch_.interrupted();
  now_ += seconds(60);
  EXPECT_EQ(look_for(seconds(9), seconds(-45)), Ids{});
  EXPECT_EQ(watch_.look({{7, seconds(15)}}, 1, now_, now_), Ids{}) << "it has renewed";
}

// Another server takes over from one that stood still: who asks waits, and is answered.
TEST_F(NodeWatchTest, AfterAnAnswerThatHungEverybodyHasTimeToRenew) {
  EXPECT_EQ(look_for(seconds(12), seconds(15)), Ids{});
  now_ += seconds(4);
  EXPECT_EQ(watch_.look({{7, seconds(-1)}}, 1, now_ - seconds(4), now_), Ids{});
  now_ += seconds(3);
  EXPECT_EQ(look_for(seconds(6), seconds(-4)), Ids{});
  EXPECT_EQ(watch_.look({{7, seconds(-11)}}, 1, now_, now_), Ids{7});
}

TEST_F(NodeWatchTest, AfterWeStoodStillEverybodyHasTimeToRenew) {
  EXPECT_EQ(look_for(seconds(12), seconds(600)), Ids{});
  now_ += seconds(20);  // and no error was seen
  EXPECT_EQ(look_for(seconds(9), seconds(-5)), Ids{});
}

TEST_F(NodeWatchTest, AfterTheStoresClockLeaptEverybodyHasTimeToRenew) {
  EXPECT_EQ(look_for(seconds(12), seconds(15)), Ids{});
  EXPECT_EQ(look_for(seconds(9), seconds(-3'600)), Ids{});
  EXPECT_EQ(watch_.look({{7, seconds(-3'615)}}, 1, now_, now_), Ids{7}) << "but the dead stay dead";
}

TEST_F(NodeWatchTest, WhoLooksIsNotDead) {
  for (int i = 0; i < 20; ++i, now_ += seconds(3)) {
    EXPECT_EQ(watch_.look({{1, seconds(-5)}}, 1, now_, now_), Ids{});
  }
}

// ---- who must be alone -----------------------------------------------------------------------

class SoleWatchTest : public ::testing::Test {
 protected:
  using Verdict = SoleWatch::Verdict;
  Verdict look(Milliseconds left, Milliseconds after = Milliseconds(0)) {
    now_ += after;
    return watch_.look({{7, left}}, now_);
  }

  SoleWatch watch_{seconds(15)};
  SteadyInstant now_{seconds(1'000)};
};

TEST_F(SoleWatchTest, WithoutOthersOneIsAlone) {
  EXPECT_EQ(watch_.look({}, now_), Verdict::alone);
}

TEST_F(SoleWatchTest, WhoRenewsLives) {
  EXPECT_EQ(look(seconds(13)), Verdict::wait);
  EXPECT_EQ(look(seconds(12), seconds(1)), Verdict::wait);
  EXPECT_EQ(look(seconds(15), seconds(1)), Verdict::lives);
  EXPECT_EQ(look(seconds(14), seconds(1)), Verdict::wait) << "and may have died since";
}

TEST_F(SoleWatchTest, AWholeLeaseWithoutARenewalIsWaitedOut) {
  EXPECT_EQ(look(seconds(-3'600)), Verdict::wait) << "the store's clock may have leapt";
  EXPECT_EQ(look(seconds(-3'614), seconds(14)), Verdict::wait);
  EXPECT_EQ(look(seconds(-3'615), seconds(1)), Verdict::alone);
}

TEST_F(SoleWatchTest, ALeaseThatRunsInTheStoreIsNotTaken) {
  EXPECT_EQ(look(seconds(35)), Verdict::wait);
  EXPECT_EQ(look(seconds(15), seconds(20)), Verdict::wait);
  EXPECT_EQ(look(seconds(1), seconds(14)), Verdict::wait);
  EXPECT_EQ(look(seconds(0), seconds(1)), Verdict::alone);
}

TEST_F(SoleWatchTest, ALeaseOfAClockThatWentBackIsWaitedForNoLonger) {
  EXPECT_EQ(look(seconds(600)), Verdict::wait);
  EXPECT_EQ(look(seconds(586), seconds(14)), Verdict::wait);
  EXPECT_EQ(look(seconds(585), seconds(1)), Verdict::alone);
}

TEST_F(SoleWatchTest, WhatWasRenewedWhileNobodyLookedIsSeen) {
  EXPECT_EQ(look(seconds(1)), Verdict::wait);
  EXPECT_EQ(look(seconds(-5), seconds(60)), Verdict::lives);
}

// ---- pools -----------------------------------------------------------------------------------

std::map<std::string, int> shares_of_sources(const std::vector<std::string>& live, int batches) {
  std::map<std::string, int> count;
  for (int batch = 0; batch < batches; ++batch) {
    const auto place = choose_source(live, 42, static_cast<std::uint32_t>(batch));
    if (place) ++count[live[*place]];
  }
  return count;
}

TEST(Pools, BatchesAreSpreadEvenly) {
  for (const auto& [source, count] : shares_of_sources({"a", "b", "c", "d"}, 40'000)) {
    EXPECT_NEAR(count, 10'000, 500) << source;
  }
}

TEST(Pools, WeighWhatEachSourceSends) {
  const std::vector<std::string> live = {"a", "b", "spare"};
  const Pools pools({{.name = "a", .weight = 3}, {.name = "b"}, {.name = "spare", .weight = 0}});
  std::map<std::string, int> sent;
  for (std::uint32_t batch = 0; batch < 4'000; ++batch) {
    ++sent[live[*pools.choose(live, TrafficClass::bulk, 42, batch)]];
  }
  EXPECT_NEAR(sent["a"], 3'000, 120);
  EXPECT_NEAR(sent["b"], 1'000, 120);
  EXPECT_EQ(sent["spare"], 0);
  const std::vector<std::string> alone = {"spare"};
  EXPECT_EQ(pools.choose(alone, TrafficClass::bulk, 42, 1), 0U);
}

// Greylisting knows a mail by the address that it came from.
TEST(Pools, AWeightThatGrowsMovesOnlyWhatItGains) {
  const std::vector<std::string> live = {"a", "b", "c"};
  const Pools before({{.name = "a", .weight = 2}, {.name = "b", .weight = 2}, {.name = "c"}});
  const Pools after({{.name = "a", .weight = 3}, {.name = "b", .weight = 2}, {.name = "c"}});
  int moved = 0;
  for (std::uint32_t batch = 0; batch < 3'000; ++batch) {
    const auto was = before.choose(live, TrafficClass::bulk, 7, batch);
    const auto is = after.choose(live, TrafficClass::bulk, 7, batch);
    if (was == is) continue;
    ++moved;
    EXPECT_EQ(live[*is], "a");
  }
  EXPECT_NEAR(moved, 300, 80);  // from 2/5 to 3/6
}

TEST(Pools, TheFirstRuleThatFitsDecides) {
  const Pools pools({{.name = "a"}, {.name = "b", .weight = 3}, {.name = "c"}, {.name = "left"}},
                    {{"receipts", {"a"}}, {"news", {"b", "c"}}},
                    {{.pool = "receipts", .account = "shop", .purpose = Purpose::notice},
                     {.pool = "news", .account = "shop"},
                     {.pool = "news", .traffic = TrafficClass::bulk, .from_domain = "*.example.jp"},
                     {.pool = "nowhere", .traffic = TrafficClass::bulk}});
  const auto pool = [&](const Sender& sender) { return pools.name_of(pools.pool_of(sender)); };
  EXPECT_EQ(pool({.account = "shop", .purpose = Purpose::notice}), "receipts");
  EXPECT_EQ(pool({.account = "shop"}), "news");
  EXPECT_EQ(pool({.account = "x", .traffic = TrafficClass::bulk, .from_domain = "m.example.jp"}),
            "news");
  EXPECT_EQ(pool({.account = "x", .traffic = TrafficClass::bulk, .from_domain = "example.jp"}), "")
      << "not below it; and a rule for a pool that is not there is none";
  EXPECT_EQ(pool({.account = "x", .from_domain = "m.example.jp"}), "");
  EXPECT_TRUE(pools.asks_for_account());
}

TEST(Pools, TellWhoSendsTheSameMail) {
  EXPECT_EQ(Pools().shared_mail(), (std::vector<SharedMail>{{.sources = {}, .is_open = true}}));
  const std::vector<PoolMember> members{{.name = "a"},
                                        {.name = "b"},
                                        {.name = "c", .only = TrafficClass::transactional},
                                        {.name = "left"}};
  EXPECT_EQ(Pools(members).shared_mail(),
            (std::vector<SharedMail>{{.sources = {"c"}},
                                     {.sources = {"a", "b", "left"}, .is_open = true}}));
  EXPECT_EQ(
      Pools(members, {{"one", {"a"}}, {"two", {"b", "c"}}}, {}).shared_mail(),
      (std::vector<SharedMail>{
          {.sources = {"left"}}, {.sources = {"a"}}, {.sources = {"c"}}, {.sources = {"b"}}}));
}

TEST(Pools, MailLeavesByTheSourcesOfItsPoolAlone) {
  const Pools pools(
      {{.name = "a"}, {.name = "b", .weight = 3}, {.name = "c"}, {.name = "left"}},
      {{"receipts", {"a"}}, {"news", {"b", "c"}}},
      {{.pool = "receipts", .account = "shop"}, {.pool = "news", .traffic = TrafficClass::bulk}});
  const std::vector<std::string> live = {"a", "b", "c", "left", "unknown"};
  const auto news = pools.pool_of({.account = "x", .traffic = TrafficClass::bulk});
  const auto receipts = pools.pool_of({.account = "shop"});
  std::map<std::string, int> sent;
  for (std::uint32_t batch = 0; batch < 4'000; ++batch) {
    ++sent[live[*pools.choose(live, news, TrafficClass::bulk, 42, batch)]];
    EXPECT_EQ(pools.choose(live, receipts, TrafficClass::transactional, 42, batch), 0U);
    EXPECT_EQ(pools.choose(live, Pools::kRest, TrafficClass::bulk, 42, batch), 3U)
        << "what no rule fits takes nothing of the pools";
  }
  EXPECT_NEAR(sent["b"], 3'000, 120);
  EXPECT_NEAR(sent["c"], 1'000, 120);
  const std::vector<std::string> others = {"b", "left"};
  EXPECT_EQ(pools.choose(others, receipts, TrafficClass::transactional, 1, 1), std::nullopt);
}

TEST(Pools, DomainsOfSendersAreComparedAsTheDnsDoes) {
  EXPECT_EQ(sender_domain("news@Example.JP"), "example.jp");
  EXPECT_EQ(sender_domain("news@\u4f8b\u3048.jp"), "xn--r8jz45g.jp");
}

TEST(Pools, AClassWithSourcesOfItsOwnSharesNoFate) {
  const std::vector<std::string> live = {"mail", "news", "any"};
  const Pools pools({{.name = "mail", .only = TrafficClass::transactional},
                     {.name = "news", .only = TrafficClass::bulk},
                     {.name = "any"}});
  for (std::uint32_t batch = 0; batch < 100; ++batch) {
    EXPECT_EQ(pools.choose(live, TrafficClass::transactional, 1, batch), 0U);
    EXPECT_EQ(pools.choose(live, TrafficClass::bulk, 1, batch), 1U);
  }
  const std::vector<std::string> left = {"news", "any"};
  EXPECT_EQ(pools.choose(left, TrafficClass::transactional, 1, 1), std::nullopt);
  // What is reserved for nobody is sent by the others, and by all where there are none.
  const Pools half({{.name = "mail", .only = TrafficClass::transactional}, {.name = "any"}});
  const std::vector<std::string> two = {"mail", "any"};
  EXPECT_EQ(half.choose(two, TrafficClass::bulk, 1, 1), 1U);
  const Pools lopsided({{.name = "mail", .only = TrafficClass::transactional}});
  const std::vector<std::string> one = {"mail"};
  EXPECT_EQ(lopsided.choose(one, TrafficClass::bulk, 1, 1), 0U);
}

// Nothing moves for an installation that has set none of it.
TEST(Pools, WithoutAnyDifferenceChooseAsBefore) {
  const std::vector<std::string> live = {"a", "b", "c"};
  const Pools even(
      {{.name = "a", .weight = 2}, {.name = "b", .weight = 2}, {.name = "c", .weight = 2}});
  for (std::uint32_t batch = 0; batch < 300; ++batch) {
    EXPECT_EQ(even.choose(live, TrafficClass::bulk, 9, batch), choose_source(live, 9, batch));
    EXPECT_EQ(Pools().choose(live, TrafficClass::bulk, 9, batch), choose_source(live, 9, batch));
  }
}

TEST(Pools, OnlyTheBatchesOfASourceThatGoesMove) {
  const std::vector<std::string> all{"a", "b", "c", "d"};
  const std::vector<std::string> left{"d", "a", "c"};  // in another order, too
  std::map<std::string, int> moved;
  for (std::uint32_t batch = 0; batch < 10'000; ++batch) {
    const std::string before = all[*choose_source(all, 7, batch)];
    const std::string after = left[*choose_source(left, 7, batch)];
    if (before == "b") {
      ++moved[after];
    } else {
      EXPECT_EQ(after, before);
    }
  }
  EXPECT_EQ(moved.size(), 3U) << "to all others";
}

TEST(Pools, NobodyIsChosenFromNobody) {
  EXPECT_EQ(choose_source({}, 1, 1), std::nullopt);
}

TEST(Pools, LanesAreNamedApart) {
  EXPECT_NE(lane_name("example.jp", "a"), lane_name("example.jp", "b"));
  EXPECT_NE(lane_name("example.jp", "a"), lane_name("other.example", "a"));
}

}  // namespace
}  // namespace todoku::delivery::policy
