// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/policy/dead_hosts.h"
#include "delivery/policy/site_habits.h"

namespace todoku::delivery::policy {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr SteadyInstant kStart{hours(1000)};
constexpr Avoided kNoChunking{.chunking = true};
constexpr Avoided kNoPipelining{.pipelining = true};

TEST(SiteHabits, AreKnownForAWhile) {
  SiteHabits habits;
  EXPECT_FALSE(habits.avoided("mx.example.jp", kStart).any());
  EXPECT_TRUE(habits.learn("mx.example.jp", kNoChunking, Evidence::said, kStart));
  EXPECT_FALSE(habits.learn("mx.example.jp", kNoChunking, Evidence::said, kStart));
  EXPECT_EQ(habits.avoided("mx.example.jp", kStart + hours(23)), kNoChunking);
  EXPECT_FALSE(habits.avoided("mx.example.jp", kStart + hours(24)).any());
  EXPECT_FALSE(habits.avoided("mx.example.com", kStart).any());
}

TEST(SiteHabits, WhatIsOnlyInferredIsDoubtedSooner) {
  SiteHabits habits;
  habits.learn("a", kNoPipelining, Evidence::inferred, kStart);
  EXPECT_EQ(habits.avoided("a", kStart + hours(1)), kNoPipelining);
  EXPECT_FALSE(habits.avoided("a", kStart + hours(2)).any());
  habits.learn("b", kNoChunking, Evidence::said, kStart);
  habits.learn("b", {.pipelining = true, .chunking = true}, Evidence::inferred, kStart + hours(1));
  EXPECT_EQ(habits.avoided("b", kStart + hours(2)), (Avoided{true, true}));
  EXPECT_EQ(habits.avoided("b", kStart + hours(4)), kNoChunking) << "what was said lasts";
}

TEST(SiteHabits, AreBounded) {
  SiteHabits habits({.sites_max = 10});
  for (int i = 0; i < 1'000; ++i) {
    habits.learn(std::to_string(i), kNoChunking, Evidence::said, kStart + seconds(i));
  }
  EXPECT_EQ(habits.size(), 10U);
  EXPECT_FALSE(habits.avoided("989", kStart + seconds(1'000)).any());
  EXPECT_TRUE(habits.avoided("990", kStart + seconds(1'000)).any());
}

std::vector<std::string> ordered(const DeadHosts& hosts, std::vector<std::string> items,
                                 SteadyInstant now) {
  hosts.order(items, [](const std::string& item) { return std::string_view(item); }, now);
  return items;
}

TEST(DeadHosts, ComeLastUntilTheyMayLiveAgain) {
  DeadHosts hosts;
  EXPECT_THAT(ordered(hosts, {"a", "b", "c"}, kStart), ElementsAre("a", "b", "c"));
  hosts.failed("a", kStart);
  hosts.failed("b", kStart + seconds(30));
  EXPECT_THAT(ordered(hosts, {"b", "a", "c"}, kStart + minutes(1)), ElementsAre("c", "a", "b"))
      << "of the dead first the one that was tried longest ago";
  EXPECT_THAT(ordered(hosts, {"a", "b", "c"}, kStart + minutes(16)), ElementsAre("a", "b", "c"));
}

TEST(DeadHosts, WhoFailsAgainIsBelievedForLonger) {
  DeadHosts hosts;
  hosts.failed("a", kStart);
  hosts.failed("a", kStart + seconds(1));  // a connection that began at the same time
  EXPECT_FALSE(hosts.counts_as_dead("a", kStart + minutes(15)));
  hosts.failed("a", kStart + minutes(20));
  EXPECT_TRUE(hosts.counts_as_dead("a", kStart + minutes(49)));
  EXPECT_FALSE(hosts.counts_as_dead("a", kStart + minutes(50)));
  SteadyInstant now = kStart;
  for (int i = 0; i < 100; ++i) hosts.failed("a", now += hours(5));
  EXPECT_TRUE(hosts.counts_as_dead("a", now + hours(4) - seconds(1)));
  EXPECT_FALSE(hosts.counts_as_dead("a", now + hours(4)));
  hosts.served("a");
  EXPECT_EQ(hosts.size(), 0U);
}

TEST(DeadHosts, AreBounded) {
  DeadHosts hosts({.addresses_max = 5});
  for (int i = 0; i < 100; ++i) hosts.failed(std::to_string(i), kStart + seconds(i));
  EXPECT_LE(hosts.size(), 5U);
  EXPECT_TRUE(hosts.counts_as_dead("99", kStart + seconds(100)));
  EXPECT_FALSE(hosts.counts_as_dead("90", kStart + seconds(100)));
}

}  // namespace
}  // namespace todoku::delivery::policy
