// SPDX-License-Identifier: Apache-2.0
#include "operate/time_to_go.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::operate {
namespace {

using std::chrono::seconds;
using testing::Optional;

const Instant kNow{seconds(1'800'000'000)};

DoneSoFar moment(int second, std::int64_t done, std::int64_t open,
                 std::map<std::string, std::int64_t> done_at = {}) {
  return {SteadyInstant{} + seconds(second), done, open, std::move(done_at)};
}
store::LanePace lane(std::string site, std::int64_t pace, std::optional<Instant> rests = {}) {
  store::LanePace lane;
  lane.site = std::move(site);
  lane.pace = pace;
  lane.rests_until = rests;
  return lane;
}
const SiteAhead* site_of(const Ahead& ahead, const std::string& site) {
  for (const SiteAhead& each : ahead.sites) {
    if (each.site == site) return &each;
  }
  return nullptr;
}

TEST(TimeToGo, IsNotSaidBeforeAnythingWasSeen) {
  TimeToGo time;
  EXPECT_FALSE(time.ahead({}, {}, kNow).seconds_left);
  time.add(moment(0, 10, 90));
  EXPECT_FALSE(time.ahead({}, {}, kNow).mails_per_minute);
  time.add(moment(4, 50, 50));
  EXPECT_FALSE(time.ahead({}, {}, kNow).mails_per_minute) << "seen for too short a time";
  time.add(moment(10, 60, 40));
  const Ahead ahead = time.ahead({}, {}, kNow);
  EXPECT_THAT(ahead.mails_per_minute, Optional(300.0));
  EXPECT_EQ(ahead.over_seconds, 10);
  EXPECT_THAT(ahead.seconds_left, Optional(8));
  EXPECT_TRUE(ahead.sites.empty());
}

TEST(TimeToGo, GoesByTheLastMinute) {
  TimeToGo time;
  time.add(moment(0, 0, 1'000));
  time.add(moment(40, 600, 400));
  time.add(moment(100, 700, 300));
  const Ahead ahead = time.ahead({}, {}, kNow);
  EXPECT_EQ(ahead.over_seconds, 60);
  EXPECT_THAT(ahead.mails_per_minute, Optional(100.0));
  EXPECT_THAT(ahead.seconds_left, Optional(180));
}

TEST(TimeToGo, WhatStandsStillHasNoEnd) {
  TimeToGo time;
  time.add(moment(0, 7, 3));
  time.add(moment(30, 7, 3));
  const Ahead ahead = time.ahead({}, {}, kNow);
  EXPECT_THAT(ahead.mails_per_minute, Optional(0.0));
  EXPECT_FALSE(ahead.seconds_left);
  time.add(moment(31, 10, 0));
  EXPECT_THAT(time.ahead({}, {}, kNow).seconds_left, Optional(0));
}

TEST(TimeToGo, TheSlowestReceiverEndsIt) {
  TimeToGo time;
  time.add(moment(0, 0, 1'000, {{"fast", 0}, {"slow", 0}}));
  time.add(moment(60, 500, 500, {{"fast", 400}, {"slow", 40}, {"", 60}}));
  const Ahead ahead = time.ahead({{"fast", 480}, {"slow", 400}}, {}, kNow);
  ASSERT_EQ(ahead.sites.size(), 3U);
  EXPECT_EQ(ahead.sites[0].site, "slow") << "most to go";
  EXPECT_THAT(ahead.sites[0].remaining, Optional(360));
  EXPECT_THAT(ahead.sites[0].mails_per_minute, Optional(40.0));
  EXPECT_THAT(ahead.sites[0].seconds_left, Optional(540));
  EXPECT_EQ(ahead.sites[0].told_by, ToldBy::speed);
  EXPECT_THAT(ahead.sites[1].seconds_left, Optional(12));
  EXPECT_EQ(ahead.sites[2].site, "");
  EXPECT_EQ(ahead.sites[2].done, 60);
  EXPECT_THAT(ahead.sites[2].remaining, Optional(60));
  EXPECT_THAT(ahead.sites[2].seconds_left, Optional(60));
  EXPECT_THAT(ahead.seconds_left, Optional(540)) << "and not the 60 of all together";
}

TEST(TimeToGo, ALaneSaysWhatNobodyHasSeen) {
  TimeToGo time;
  time.add(moment(0, 0, 300, {{"a", 0}}));
  const SiteTotals totals{{"a", 300}};
  const std::vector<store::LanePace> going{lane("a", 500), lane("a", 500), lane("b", 9'000)};
  const Ahead ahead = time.ahead(totals, going, kNow);
  ASSERT_NE(site_of(ahead, "a"), nullptr);
  EXPECT_THAT(site_of(ahead, "a")->seconds_left, Optional(300)) << "one mail a second";
  EXPECT_EQ(site_of(ahead, "a")->told_by, ToldBy::lanes);
  EXPECT_FALSE(ahead.seconds_left) << "what lanes allow is no measure of the whole";
  const std::vector<store::LanePace> unknown{lane("a", 500), lane("a", 0)};
  EXPECT_FALSE(site_of(time.ahead(totals, unknown, kNow), "a")->seconds_left);
}

TEST(TimeToGo, RestIsToldWhereEveryLaneRests) {
  TimeToGo time;
  time.add(moment(0, 0, 120, {{"a", 0}}));
  time.add(moment(60, 60, 60, {{"a", 60}}));
  const SiteTotals totals{{"a", 120}};
  const Instant soon = kNow + seconds(30);
  const std::vector<store::LanePace> rest{lane("a", 500, kNow + seconds(90)), lane("a", 500, soon)};
  const Ahead resting = time.ahead(totals, rest, kNow);
  EXPECT_THAT(site_of(resting, "a")->rests_until, Optional(soon));
  EXPECT_THAT(site_of(resting, "a")->seconds_left, Optional(30 + 60));
  const std::vector<store::LanePace> one_goes{lane("a", 500, soon), lane("a", 500, kNow)};
  const Ahead going = time.ahead(totals, one_goes, kNow);
  EXPECT_FALSE(site_of(going, "a")->rests_until);
  EXPECT_THAT(site_of(going, "a")->seconds_left, Optional(60));
}

TEST(TimeToGo, OfDomainsThatNobodyKnowsNothingIsSaid) {
  TimeToGo time;
  time.add(moment(0, 0, 100, {{"a", 0}}));
  time.add(moment(60, 60, 40, {{"a", 60}}));
  // Of those at "a" it was known of ten only.
  const Ahead ahead = time.ahead({{"a", 10}}, {}, kNow);
  EXPECT_FALSE(site_of(ahead, "a")->remaining);
  EXPECT_FALSE(site_of(ahead, "a")->seconds_left);
  ASSERT_NE(site_of(ahead, ""), nullptr);
  EXPECT_FALSE(site_of(ahead, "")->remaining) << "nor how many others there are";
  EXPECT_THAT(ahead.seconds_left, Optional(40));
}

TEST(TimeToGo, IsBounded) {
  TimeToGo time;
  DoneSoFar many = moment(0, 0, 10'000);
  SiteTotals totals;
  for (int i = 0; i < 100; ++i) {
    many.done_at["site" + std::to_string(i)] = 0;
    totals["site" + std::to_string(i)] = 100;
  }
  for (int i = 0; i < 1'000; ++i) {
    many.at = SteadyInstant{} + std::chrono::milliseconds(i);
    time.add(many);
  }
  const Ahead ahead = time.ahead(totals, {}, kNow);
  ASSERT_EQ(ahead.sites.size(), kSitesTold + 1);
  EXPECT_THAT(ahead.sites.back().remaining, Optional(8'000));
}

TEST(TimeToGo, SaysWhatAReceiverAllowsAndWhy) {
  TimeToGo time;
  time.add(moment(0, 0, 100, {{"a", 0}}));
  std::vector<store::LanePace> lanes{lane("a", 500), lane("a", 1'500), lane("b", 9'000)};
  lanes[0].ceiling = 2'000;
  lanes[0].reason = 3;
  lanes[0].waiting = 1;
  lanes[1].ceiling = 3'000;
  lanes[1].reason = 4;
  lanes[1].waiting = 20;
  const auto told = [&] { return *site_of(time.ahead({{"a", 100}}, lanes, kNow), "a"); };
  EXPECT_THAT(told().allowed_per_minute, Optional(120.0));
  EXPECT_THAT(told().limit_per_minute, Optional(300.0));
  EXPECT_EQ(told().pace_reason, "too_fast");
  lanes[0].ceiling = 0;
  EXPECT_FALSE(told().limit_per_minute) << "one of them has none";
  lanes[1].rests_until = kNow + seconds(60);
  EXPECT_THAT(told().allowed_per_minute, Optional(30.0));
  EXPECT_EQ(told().pace_reason, "at_ceiling") << "of what is not left alone";
  lanes[0].rests_until = kNow + seconds(60);
  EXPECT_FALSE(told().allowed_per_minute);
  EXPECT_EQ(told().pace_reason, "");
}

}  // namespace
}  // namespace todoku::operate
