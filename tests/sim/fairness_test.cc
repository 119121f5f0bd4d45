// SPDX-License-Identifier: Apache-2.0
// Promise 5 in simulated time: who waits for whom.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/directed.h"
#include "sim/expect_kept.h"
#include "sim/world.h"

namespace todoku::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

std::size_t mailing_of(const Take& take) {
  return std::strtoull(take.address.c_str() + 1, nullptr, 10);
}

// When the site took its last mail, since the beginning.
Microseconds finished(const World& world, const std::string& site) {
  for (const auto& receiver : world.receivers()) {
    if (receiver->script().name != site || receiver->takes().empty()) continue;
    return receiver->takes().back().at - world.started();
  }
  return Microseconds::max();
}

// ---- sites -------------------------------------------------------------------------------------

// Fifty sites, a thousand mails in one bulk that has them all mixed, from one account; one of the
// sites has `trouble`.
Scenario fifty_sites(std::optional<Trouble> trouble) {
  Scenario scenario = quiet_world();
  Mailing bulk{.traffic = TrafficClass::bulk};
  for (std::size_t s = 0; s < 50; ++s) {
    SiteScript site = good_site(fmt::format("site{}", s));
    site.latency = milliseconds(20);
    site.tarpit = seconds(15);
    if (s == 0 && trouble) site.outages = {{*trouble, seconds(0), minutes(60)}};
    scenario.sites.push_back(std::move(site));
  }
  for (std::size_t i = 0; i < 1'000; ++i) {
    bulk.domains.push_back(fmt::format("site{}.example", i % 50));
  }
  scenario.mailings = {std::move(bulk)};
  return scenario;
}

TEST(Fairness, OneBadSiteDelaysNoOther) {
  World good(fifty_sites(std::nullopt));
  expect_kept(good);
  for (const Trouble trouble : {Trouble::tarpits, Trouble::never_connects, Trouble::never_greets,
                                Trouble::refuses_connections, Trouble::says_421_at_mail}) {
    World bad(fifty_sites(trouble));
    expect_kept(bad);
    for (std::size_t s = 1; s < 50; ++s) {
      const std::string site = fmt::format("site{}", s);
      EXPECT_LE(finished(bad, site), finished(good, site) + milliseconds(100))
          << site << " beside trouble " << static_cast<int>(trouble);
    }
  }
}

// Three thousand mails to one site and two hundred to each of five others, enough for batches of
// their own.
Scenario backlog(std::optional<Trouble> trouble) {
  Scenario scenario = quiet_world();
  for (std::size_t s = 0; s < 6; ++s) {
    SiteScript site = good_site(fmt::format("site{}", s));
    site.latency = milliseconds(20);
    site.tarpit = seconds(15);
    if (s == 0 && trouble) site.outages = {{*trouble, seconds(0), minutes(60)}};
    scenario.sites.push_back(std::move(site));
  }
  Mailing bulk = bulk_to("site0.example", 3'000);
  for (std::size_t i = 0; i < 1'000; ++i) {
    bulk.domains.push_back(fmt::format("site{}.example", 1 + i % 5));
  }
  scenario.mailings = {std::move(bulk)};
  return scenario;
}

TEST(Fairness, WhatWaitsForABadSiteTakesNoRoomFromOthers) {
  World good(backlog(std::nullopt));
  expect_kept(good);
  for (const Trouble trouble : {Trouble::tarpits, Trouble::never_greets}) {
    World bad(backlog(trouble));
    expect_kept(bad);
    for (std::size_t s = 1; s < 6; ++s) {
      const std::string site = fmt::format("site{}", s);
      EXPECT_LE(finished(bad, site), finished(good, site) + milliseconds(100))
          << site << " beside trouble " << static_cast<int>(trouble);
    }
  }
}

// ---- classes -----------------------------------------------------------------------------------

// From being handed in to being taken, of every transactional mail.
std::vector<Microseconds> transactional_waits(const World& world) {
  std::vector<Microseconds> waits;
  for (const auto& receiver : world.receivers()) {
    for (const Take& take : receiver->takes()) {
      const std::size_t mailing = mailing_of(take);
      if (world.scenario().mailings[mailing].traffic == TrafficClass::bulk) continue;
      waits.push_back(take.at - world.senders().handed_in(mailing).at);
    }
  }
  std::ranges::sort(waits);
  return waits;
}

// A bulk of 2,000 to one site, and a transactional mail to the same site every half second.
Scenario bulk_and_transactions(double messages_per_second) {
  Scenario scenario = quiet_world();
  SiteScript site = good_site("busy");
  site.latency = milliseconds(20);
  site.messages_per_second = messages_per_second;
  scenario.sites = {site};
  scenario.accounts = {{"bulk"}, {"shop"}};
  scenario.mailings.push_back(bulk_to("busy.example", 2'000));
  for (int i = 0; i < 40; ++i) {
    scenario.mailings.push_back(
        transaction_to("busy.example", seconds(1) + i * milliseconds(500), 1));
  }
  return scenario;
}

TEST(Fairness, TransactionalOvertakesBulk) {
  World world(bulk_and_transactions(0));
  expect_kept(world);
  const auto waits = transactional_waits(world);
  ASSERT_EQ(waits.size(), 40U);
  // A connection's block of 10 ms, the mail in its hands and the answers to ours.
  EXPECT_LT(waits.back(), milliseconds(300));
}

TEST(Fairness, TransactionalOvertakesBulkWhereThePaceBinds) {
  World world(bulk_and_transactions(20));
  expect_kept(world);
  const auto waits = transactional_waits(world);
  ASSERT_EQ(waits.size(), 40U);
  EXPECT_LT(waits.back(), seconds(2)) << "promise 5";
}

TEST(Fairness, BulkKeepsATenthUnderTransactionalLoad) {
  Scenario scenario = quiet_world();
  SiteScript site = good_site("busy");
  site.messages_per_second = 10;
  scenario.sites = {site};
  scenario.mailings.push_back(bulk_to("busy.example", 200));
  // Twice as much as the pace allows, for a minute.
  for (int i = 0; i < 1'200; ++i) {
    scenario.mailings.push_back(transaction_to("busy.example", i * milliseconds(50)));
  }
  World world(std::move(scenario));
  expect_kept(world);
  std::size_t bulk = 0;
  std::size_t all = 0;
  for (const Take& take : world.receivers()[0]->takes()) {
    if (take.at - world.started() > seconds(60)) break;
    ++all;
    if (mailing_of(take) == 0) ++bulk;
  }
  EXPECT_GE(bulk * 10, all - 10) << bulk << " of " << all;
}

// ---- accounts ----------------------------------------------------------------------------------

// Over a time that is long beside that of a batch (500 mails: 2.5 s here): the lane shares what it
// holds mail by mail, the scheduler what it hands out batch by batch.
TEST(Fairness, AccountsShareASiteByTheirWeights) {
  Scenario scenario = quiet_world();
  SiteScript site = good_site("shared");
  site.messages_per_second = 200;
  site.connections_max = 20;
  scenario.sites = {site};
  scenario.accounts = {{"one", 1}, {"three", 3}};
  scenario.mailings = {bulk_to("shared.example", 5'000, {}, 0),
                       bulk_to("shared.example", 6'000, milliseconds(1), 1)};
  World world(std::move(scenario));
  expect_kept(world);
  std::map<std::size_t, double> taken;
  for (const Take& take : world.receivers()[0]->takes()) {
    if (take.at - world.started() < seconds(30)) ++taken[mailing_of(take)];
  }
  EXPECT_NEAR(taken[1] / taken[0], 3.0, 0.5) << taken[0] << " and " << taken[1];
}

TEST(Fairness, AnAccountsSingleMailDoesNotWaitForAnothersBulk) {
  Scenario scenario = quiet_world();
  SiteScript site = good_site("shared");
  site.messages_per_second = 50;
  scenario.sites = {site};
  scenario.accounts = {{"million"}, {"single"}};
  scenario.mailings = {bulk_to("shared.example", 4'000),
                       bulk_to("shared.example", 1, seconds(20), 1)};
  World world(std::move(scenario));
  expect_kept(world);
  for (const Take& take : world.receivers()[0]->takes()) {
    if (mailing_of(take) == 0) continue;
    EXPECT_LT(take.at - world.senders().handed_in(1).at, seconds(2));
  }
}

}  // namespace
}  // namespace todoku::sim
