// SPDX-License-Identifier: Apache-2.0
// Single kinds of trouble, each in a world that has no other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/directed.h"
#include "sim/expect_kept.h"
#include "sim/world.h"

namespace todoku::sim {
namespace {

using std::chrono::minutes;

Microseconds last_take(const World& world) {
  return world.receivers()[0]->takes().back().at - world.started();
}

TEST(Trouble, ALeapOfTheWallClockRepeatsNothing) {
  for (const Milliseconds leap : {Milliseconds(minutes(6)), Milliseconds(-minutes(6))}) {
    Scenario scenario = quiet_world();
    scenario.sites = {good_site("slow")};
    scenario.sites[0].latency = seconds(3);
    scenario.sites[0].connections_max = 20;
    for (int i = 0; i < 10; ++i) {
      scenario.mailings.push_back(transaction_to("slow.example", Milliseconds(i * 100)));
    }
    scenario.mailings.push_back(bulk_to("slow.example", 40, seconds(2)));
    scenario.incidents = {{.at = seconds(5), .what = ClockLeap{leap}}};
    World world(std::move(scenario));
    expect_kept(world);
  }
}

TEST(Trouble, ASiteThatGreetsAndTakesNothingIsAskedLessAndLess) {
  Scenario scenario = quiet_world();
  scenario.sites = {good_site("closing")};
  scenario.sites[0].outages = {{Trouble::says_421_at_mail, seconds(0), minutes(60)}};
  scenario.mailings = {bulk_to("closing.example", 40)};
  World world(std::move(scenario));
  expect_kept(world);
  // Rests of 2, 4, 8, 16, 32, 60, 60, ... seconds in ten minutes, each ended by one connection.
  EXPECT_LE(world.receivers()[0]->connections_total(), 5U + 15U);
  EXPECT_GE(world.receivers()[0]->connections_total(), 10U);
}

TEST(Trouble, ASiteThatRecoversGetsItsFullSpeedBack) {
  for (const std::uint32_t messages_per_connection : {1U, 100U}) {
    Scenario scenario = quiet_world();
    scenario.sites = {good_site("back")};
    scenario.sites[0].latency = std::chrono::milliseconds(100);
    scenario.sites[0].connections_max = 20;
    scenario.sites[0].messages_per_connection = messages_per_connection;
    scenario.sites[0].outages = {{Trouble::refuses_connections, seconds(0), seconds(5)}};
    scenario.mailings = {bulk_to("back.example", 400)};
    World world(std::move(scenario));
    expect_kept(world);
    // At most six answers a mail over twenty connections, after a rest of up to eight seconds. With
    // one connection at a time it would take minutes.
    EXPECT_LT(last_take(world), seconds(30))
        << messages_per_connection << " messages per connection";
  }
}

// A bulk to this site alone goes out without waiting for a retry, a rest or the end of a lease.
void expect_nothing_waits(SiteScript site) {
  constexpr std::size_t kMails = 300;
  Scenario scenario = quiet_world();
  scenario.mailings = {bulk_to(site.name + ".example", kMails)};
  scenario.sites = {std::move(site)};
  World world(std::move(scenario));
  expect_kept(world);
  EXPECT_EQ(world.receivers()[0]->takes().size(), kMails);
  EXPECT_LT(last_take(world), seconds(10));
}

TEST(Trouble, WhatAConnectionCannotSendGoesAtOnceOverAnother) {
  SiteScript site = good_site("few");
  site.mails_until_421 = 3;
  expect_nothing_waits(std::move(site));
}

TEST(Trouble, AMailThatMetAClosedDoorGoesAtOnceOverAnotherConnection) {
  SiteScript site = good_site("curt");
  site.hangs_up_after = 3;
  expect_nothing_waits(std::move(site));
}

// More batches wait for room to look up their routes than may look up at once.
TEST(Trouble, SilentLookUpsBeyondTheBoundStopNoCourier) {
  constexpr std::size_t kMails = 170;
  Scenario scenario = quiet_world();
  scenario.options.lookups_at_once = 100;
  scenario.sites = {good_site("fast"), good_site("many")};
  scenario.sites[1].connections_max = 50;
  for (std::size_t i = 0; i < kMails; ++i) {
    Mailing mailing = transaction_to(fmt::format("a{}.example", i), Milliseconds(i));
    mailing.domains.push_back(fmt::format("b{}.example", i));
    for (const std::string& domain : mailing.domains) {
      scenario.sites[1].domains.push_back(domain);
      scenario.names.push_back({.domain = domain, .latency = seconds(8)});
    }
    scenario.mailings.push_back(std::move(mailing));
  }
  scenario.mailings.push_back(transaction_to("fast.example", seconds(60)));
  World world(std::move(scenario));
  expect_kept(world);
  EXPECT_EQ(world.receivers()[1]->takes().size(), 2 * kMails);
  ASSERT_FALSE(world.receivers()[0]->takes().empty());
  EXPECT_LT(last_take(world), seconds(61));
}

TEST(Trouble, SendingStopsWhileTooMuchIsUnrecorded) {
  Scenario scenario = quiet_world();
  scenario.options.unrecorded_max = 10;
  scenario.sites = {good_site("fast")};
  scenario.mailings = {bulk_to("fast.example", 400)};
  scenario.incidents = {{.at = Milliseconds(300), .what = DiskFull{seconds(60)}}};
  World world(std::move(scenario));
  expect_kept(world);
  EXPECT_GE(world.unrecorded_most().at(1), 10U) << "the disk had to be full while mail went out";
  EXPECT_GT(last_take(world), seconds(60));
}

}  // namespace
}  // namespace todoku::sim
