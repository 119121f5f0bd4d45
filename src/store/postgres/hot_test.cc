// SPDX-License-Identifier: Apache-2.0
// The hot operations as they are merged, and as two stores perform them at once.
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using HotTest = PostgresStoreTest;

OutcomeRecord outcome_of(const LeasedBatch& lease, std::uint32_t seq, RecipientState state) {
  OutcomeRecord record;
  record.key = {lease.key.delivery, lease.key.batch, seq};
  record.outcome.state = state;
  record.outcome.stage = Stage::accepted;
  record.outcome.reply = {250, "2.0.0 Ok"};
  if (state == RecipientState::deferred) record.wait = 0ms;
  return record;
}

TEST_F(HotTest, AnOutcomeIsCountedAndItsReleaseEndsTheLease) {
  const auto store = open();
  const Account acme = account(*store);
  const Accepted accepted = must(store->perform_and_wait(acceptance(acme.key, enter(*store))));
  const LeasedBatch& lease = accepted.batches.at(0);
  const std::vector outcomes{outcome_of(lease, 0, RecipientState::delivered)};
  const std::vector releases{BatchRelease{.held = lease.held(), .not_before = {}}};
  const Settled settled =
      must(store->perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
  ASSERT_TRUE(settled.outcomes.at(0));
  EXPECT_EQ(settled.outcomes[0]->state, RecipientState::delivered);
  ASSERT_TRUE(settled.releases.at(0));
  EXPECT_TRUE(settled.releases[0]->done);
  EXPECT_THAT(settled.finished, ElementsAre(lease.key.delivery));
  // Once more: a fact that changes nothing.
  const Settled again = must(store->perform_and_wait(Settle{.outcomes = outcomes, .releases = {}}));
  EXPECT_TRUE(again.outcomes.at(0)->superseded);
  EXPECT_THAT(again.finished, IsEmpty());
}

TEST_F(HotTest, WhatIsDeferredComesBackWhenDueAndIsClaimedOnce) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  const Accepted accepted = must(store->perform_and_wait(acceptance(acme.key, me)));
  const LeasedBatch& lease = accepted.batches.at(0);
  const std::vector outcomes{outcome_of(lease, 0, RecipientState::deferred)};
  const std::vector releases{BatchRelease{.held = lease.held(), .not_before = {}}};
  const Settled settled =
      must(store->perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
  ASSERT_TRUE(settled.releases.at(0));
  EXPECT_FALSE(settled.releases[0]->done);
  const DueDomains due = must(store->perform_and_wait(Due{.limit = 10}));
  ASSERT_THAT(due.domains, SizeIs(1));
  EXPECT_EQ(due.domains[0].domain, "example.jp");
  ASSERT_THAT(due.domains[0].batches, SizeIs(1));
  EXPECT_EQ(due.domains[0].batches[0].key, lease.key);
  const NodeKey other = enter(*store, "other");
  const Claimed claimed =
      must(store->perform_and_wait(Claim{.node = other, .batches = {lease.key}}));
  ASSERT_TRUE(claimed.batches.at(0));
  EXPECT_EQ(claimed.batches[0]->token, lease.token + 1);
  ASSERT_THAT(claimed.batches[0]->recipients, SizeIs(1));
  EXPECT_EQ(claimed.batches[0]->recipients[0].address, "one@example.jp");
  EXPECT_EQ(claimed.batches[0]->recipients[0].attempts, 1);
  EXPECT_TRUE(claimed.batches[0]->recipients[0].deferred);
  EXPECT_EQ(claimed.batches[0]->recipients[0].insert_codes.at(0).value, "N");
  const Claimed again = must(store->perform_and_wait(Claim{.node = me, .batches = {lease.key}}));
  EXPECT_EQ(again.batches.at(0).error().kind, ErrorKind::not_found);
  const Claimed twice = must(store->perform_and_wait(Claim{.node = other, .batches = {lease.key}}));
  EXPECT_EQ(twice.batches.at(0).error().kind, ErrorKind::conflict);
  const Settled late = must(store->perform_and_wait(Settle{.outcomes = {}, .releases = releases}));
  EXPECT_EQ(late.releases.at(0).error().kind, ErrorKind::conflict) << "the token is fenced";
}

TEST_F(HotTest, TwoStoresShareWhatIsDueWithoutARepeat) {
  const auto first = open();
  const auto second = open();
  const Account acme = account(*first);
  const NodeKey one = enter(*first, "one");
  const NodeKey two = enter(*second, "two");
  constexpr int kMails = 200;
  std::vector<std::future<Result<Accepted>>> answers;
  for (int i = 0; i < kMails; ++i) {
    Store& store = i % 2 == 0 ? *first : *second;
    answers.push_back(store.perform_soon(acceptance(acme.key, kNobody, fmt::format("user{}", i))));
  }
  std::vector<BatchKey> keys;
  std::set<PublicId> ids;
  for (auto& answer : answers) {
    const Accepted accepted = must(answer.get());
    EXPECT_THAT(accepted.batches, IsEmpty());
    keys.push_back({accepted.delivery.key, 0});
    ids.insert(accepted.delivery.id);
  }
  EXPECT_THAT(ids, SizeIs(kMails)) << "public ids are given out once";
  std::set<BatchKey> claimed;
  std::atomic<int> repeats{0};
  std::mutex mutex;
  const auto claim_all = [&](Store& store, NodeKey node) {
    for (int turn = 0; turn < 4; ++turn) {
      for (std::size_t at = 0; at < keys.size(); at += 10) {
        const std::vector<BatchKey> some(keys.begin() + static_cast<std::ptrdiff_t>(at),
                                         keys.begin() + static_cast<std::ptrdiff_t>(at + 10));
        const Claimed leased = must(store.perform_and_wait(Claim{.node = node, .batches = some}));
        for (const auto& lease : leased.batches) {
          if (!lease) continue;
          const std::lock_guard lock(mutex);
          if (!claimed.insert(lease->key).second) ++repeats;
        }
      }
    }
  };
  std::thread other([&] { claim_all(*second, two); });
  claim_all(*first, one);
  other.join();
  EXPECT_EQ(repeats, 0);
  EXPECT_THAT(claimed, SizeIs(kMails));
}

// Each of two stores settles half of every delivery, in the opposite order.
TEST_F(HotTest, TwoStoresSettleTheSameDeliveriesWithoutADeadlock) {
  const auto first = open();
  const auto second = open();
  const Account acme = account(*first);
  const NodeKey me = enter(*first);
  constexpr std::uint32_t kEach = 20;
  std::vector<Accepted> accepted;
  for (int i = 0; i < 10; ++i) {
    Accept accept = acceptance(acme.key, me);
    for (std::uint32_t k = 1; k < kEach; ++k) {
      accept.recipients.push_back({fmt::format("user{}@example.jp", k), "example.jp", {}});
    }
    accepted.push_back(must(first->perform_and_wait(std::move(accept))));
  }
  std::atomic<int> finished{0};
  const auto settle = [&](Store& store, std::uint32_t parity, bool backwards) {
    for (std::uint32_t seq = parity; seq < kEach; seq += 2) {
      std::vector<OutcomeRecord> outcomes;
      for (const Accepted& each : accepted) {
        outcomes.push_back(outcome_of(each.batches.at(0), seq, RecipientState::delivered));
      }
      if (backwards) std::ranges::reverse(outcomes);
      const Settled settled =
          must(store.perform_and_wait(Settle{.outcomes = outcomes, .releases = {}}));
      for (const auto& outcome : settled.outcomes) EXPECT_TRUE(outcome);
      finished += static_cast<int>(settled.finished.size());
    }
  };
  std::thread other([&] { settle(*second, 1, true); });
  settle(*first, 0, false);
  other.join();
  EXPECT_EQ(finished, 10) << "each delivery is finished once";
}

// docs/ARCHITECTURE.md, "On PostgreSQL".
TEST_F(HotTest, AnOperationIsAsManyRoundTripsAsItsTableSays) {
  const PostgresProxy proxy(PostgresServer::running().socket());
  const auto store = must(
      PostgresStore::open({.dial = {.address = proxy.address(database_.name()), .password = {}},
                           .writers = 1,
                           .readers = 1}));
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  // Blocks of ids are reserved, connections made.
  const Accepted first = must(store->perform_and_wait(acceptance(acme.key, me)));
  must(store->perform_and_wait(Due{}));
  const auto trips_of = [&](auto work) {
    const auto before = proxy.round_trips();
    work();
    return proxy.round_trips() - before;
  };
  EXPECT_EQ(trips_of([&] { must(store->perform_and_wait(acceptance(acme.key, me))); }), 1U);
  EXPECT_EQ(trips_of([&] { must(store->perform_and_wait(Due{})); }), 1U);
  const std::vector outcomes{outcome_of(first.batches[0], 0, RecipientState::deferred)};
  const std::vector releases{BatchRelease{.held = first.batches[0].held(), .not_before = {}}};
  EXPECT_EQ(trips_of([&] {
              must(store->perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
            }),
            2U);
  EXPECT_EQ(trips_of([&] {
              must(store->perform_and_wait(Claim{.node = me, .batches = {first.batches[0].key}}));
            }),
            1U);
  EXPECT_EQ(trips_of([&] {
              must(store->write_and_wait(WritePriority::claims,
                                         [&](WriteTransaction& t) { return t.renew_node(me); }));
            }),
            3U)
      << "begin, renew, commit";
  EXPECT_EQ(trips_of([&] {
              must(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
            }),
            3U);
}

// All connections are ended while a Settle is on its way, somewhere in it.
TEST_F(HotTest, ASettleThatBreaksOffIsRecordedOnce) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  int recorded = 0;
  for (int i = 0; i < 20; ++i) {
    const auto accepted = store->perform_and_wait(acceptance(acme.key, me));
    if (!accepted || accepted->batches.empty()) continue;
    const std::vector outcomes{outcome_of(accepted->batches[0], 0, RecipientState::delivered)};
    auto answer = store->perform_soon(Settle{.outcomes = outcomes, .releases = {}});
    database_.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    const auto settled = answer.get();
    if (!settled) continue;
    ++recorded;
    EXPECT_FALSE(settled->outcomes.at(0)->superseded) << "an outcome was written twice";
    EXPECT_THAT(settled->finished, SizeIs(1));
  }
  EXPECT_GT(recorded, 0);
}

}  // namespace
}  // namespace todoku::store
