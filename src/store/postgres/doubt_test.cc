// SPDX-License-Identifier: Apache-2.0
// Networks that fail in the worst moment: while a transaction commits. Whatever becomes of it, it
// is done once and answered rightly.
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;
using Fault = PostgresProxy::Fault;

class DoubtTest : public PostgresStoreTest, public ::testing::WithParamInterface<Fault> {
 protected:
  void SetUp() override {
    // A short deadline, for the fault that only a deadline ends.
    store_ = must(PostgresStore::open(
        {.dial = {.address = proxy_.address(database_.name()), .password = {}}, .flight_max = 1s}));
    acme_ = account(*store_);
    me_ = enter(*store_);
    // Blocks of ids are reserved: what commits next is what is meant to.
    accepted_ = must(store_->perform_and_wait(acceptance(acme_.key, me_, "first")));
  }
  void break_next_commit() { proxy_.fail_next_commit(GetParam()); }
  // After everything that may still be on its way.
  [[nodiscard]] std::string ask_later(const std::string& sql) const {
    if (GetParam() == Fault::arrives_late) database_.execute("SELECT pg_sleep(0.7)");
    return database_.ask(sql);
  }
  [[nodiscard]] std::vector<OutcomeRecord> outcomes(RecipientState state) const {
    OutcomeRecord record;
    record.key = {accepted_.batches.at(0).key.delivery, accepted_.batches.at(0).key.batch, 0};
    record.outcome.state = state;
    record.outcome.stage = Stage::accepted;
    record.outcome.reply = {250, "2.0.0 Ok"};
    if (state == RecipientState::deferred) record.wait = 0ms;
    return {record};
  }

  PostgresProxy proxy_{PostgresServer::running().socket()};
  std::unique_ptr<PostgresStore> store_;
  Account acme_;
  NodeKey me_{};
  Accepted accepted_;
};

TEST_P(DoubtTest, AnAcceptIsStoredOnce) {
  break_next_commit();
  const auto accepted = store_->perform_and_wait(acceptance(acme_.key, me_, "doubt"));
  ASSERT_TRUE(accepted) << accepted.error().detail;
  EXPECT_TRUE(proxy_.has_failed());
  ASSERT_THAT(accepted->batches, SizeIs(1));
  EXPECT_EQ(accepted->batches[0].node, me_);
  EXPECT_EQ(accepted->delivery.expires, accepted->delivery.created + 24h);
  EXPECT_GT(accepted->delivery.created, Instant{});
  EXPECT_EQ(ask_later("SELECT count(*) FROM deliveries"), "2\n");
  EXPECT_EQ(ask_later("SELECT count(*) FROM recipients"), "2\n");
  EXPECT_EQ(ask_later(fmt::format("SELECT id FROM deliveries WHERE key = {}",
                                  static_cast<std::int64_t>(accepted->delivery.key))),
            fmt::format("{}\n", accepted->delivery.id));
}

// What it finds stored is its own, and no other's.
TEST_P(DoubtTest, AnAcceptWithAKeyIsStoredOnceAndIsNoRepeatOfItself) {
  Accept keyed = acceptance(acme_.key, me_, "doubt");
  keyed.idempotency = {.key = {acme_.key, KeyedRoute::transaction, sha256("key")},
                       .fingerprint = sha256("fields")};
  const IdempotencyKey key = keyed.idempotency->key;
  break_next_commit();
  const auto accepted = store_->perform_and_wait(std::move(keyed));
  ASSERT_TRUE(accepted) << accepted.error().detail;
  EXPECT_TRUE(proxy_.has_failed());
  EXPECT_EQ(ask_later("SELECT count(*) FROM deliveries"), "2\n");
  const auto kept =
      must(store_->read_and_wait([&](ReadTransaction& t) { return t.kept_answer(key); }));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->answer, accepted->delivery.id);
}

TEST_P(DoubtTest, AnAnswerIsKeptOnceByTheFunctionThatMadeIt) {
  const IdempotencyRecord record{.key = {acme_.key, KeyedRoute::bulk_begin, sha256("key")},
                                 .fingerprint = sha256("fields"),
                                 .answer = 5};
  break_next_commit();
  const auto kept = store_->write_and_wait(
      WritePriority::accept, [&](WriteTransaction& t) { return t.keep_answer(record); });
  EXPECT_TRUE(kept) << kept.error().detail;
  EXPECT_TRUE(proxy_.has_failed());
  EXPECT_EQ(ask_later("SELECT count(*) FROM kept_answers"), "1\n");
}

TEST_P(DoubtTest, AnOutcomeIsRecordedOnce) {
  const auto some = outcomes(RecipientState::deferred);
  const std::vector releases{BatchRelease{.held = accepted_.batches[0].held(), .not_before = 5min}};
  break_next_commit();
  const auto settled = store_->perform_and_wait(Settle{.outcomes = some, .releases = releases});
  ASSERT_TRUE(settled) << settled.error().detail;
  EXPECT_TRUE(proxy_.has_failed());
  ASSERT_TRUE(settled->outcomes.at(0));
  EXPECT_FALSE(settled->outcomes[0]->superseded);
  ASSERT_TRUE(settled->releases.at(0));
  EXPECT_EQ(settled->releases[0]->next, 5min);
  EXPECT_EQ(ask_later("SELECT attempts FROM progress"), "1\n");
  EXPECT_EQ(ask_later("SELECT deferred FROM deliveries"), "1\n");
}

TEST_P(DoubtTest, ADeliveryIsFinishedOnce) {
  const auto some = outcomes(RecipientState::delivered);
  break_next_commit();
  const auto settled = store_->perform_and_wait(Settle{.outcomes = some, .releases = {}});
  ASSERT_TRUE(settled) << settled.error().detail;
  EXPECT_THAT(settled->finished, ::testing::ElementsAre(accepted_.delivery.key));
  EXPECT_EQ(ask_later("SELECT delivered FROM deliveries"), "1\n");
}

TEST_P(DoubtTest, ABatchIsLeasedOnceAndToldSo) {
  const auto some = outcomes(RecipientState::deferred);
  const std::vector releases{BatchRelease{.held = accepted_.batches[0].held(), .not_before = {}}};
  must(store_->perform_and_wait(Settle{.outcomes = some, .releases = releases}));
  break_next_commit();
  const auto claimed =
      store_->perform_and_wait(Claim{.node = me_, .batches = {accepted_.batches[0].key}});
  ASSERT_TRUE(claimed) << claimed.error().detail;
  EXPECT_TRUE(proxy_.has_failed());
  ASSERT_TRUE(claimed->batches.at(0)) << claimed->batches.at(0).error().detail;
  EXPECT_THAT(claimed->batches[0]->recipients, SizeIs(1));
  EXPECT_EQ(ask_later("SELECT token FROM batches"),
            fmt::format("{}\n", claimed->batches[0]->token));
}

TEST_P(DoubtTest, AFunctionIsDoneOnce) {
  break_next_commit();
  int runs = 0;
  const auto made = store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
    ++runs;
    return t.create_account("second");
  });
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_TRUE(proxy_.has_failed());
  // What is late has begun: who asks waits for it.
  EXPECT_EQ(runs, GetParam() == Fault::never_arrives ? 2 : 1);
  EXPECT_EQ(ask_later("SELECT count(*) FROM accounts"), "2\n");
  EXPECT_EQ(must(store_->read_and_wait([](ReadTransaction& t) {
              return t.account_by_name("second");
            })).key,
            made->key);
}

std::string name_of(const ::testing::TestParamInfo<Fault>& info) {
  switch (info.param) {
    case Fault::answer_lost:
      return "AnswerLost";
    case Fault::never_arrives:
      return "NeverArrives";
    case Fault::arrives_late:
      return "ArrivesLate";
    case Fault::silence:
      return "Silence";
    case Fault::all_silent:  // see AwayTest
    case Fault::none:
      break;
  }
  return "None";
}

INSTANTIATE_TEST_SUITE_P(Faults, DoubtTest,
                         ::testing::Values(Fault::answer_lost, Fault::never_arrives,
                                           Fault::arrives_late, Fault::silence),
                         name_of);

// The database is away for a while: whoever asks is told so soon, and nobody has to start anew.
using AwayTest = PostgresStoreTest;

TEST_F(AwayTest, ADatabaseThatIsAwayIsSaidAndComesBack) {
  PostgresProxy proxy(PostgresServer::running().socket());
  const auto store = open_through(proxy);
  const Account acme = account(*store);
  proxy.set_open(false);
  // What was on its way when it went may be stored; what comes after is not.
  Result<Accepted> accepted = fail(ErrorKind::io, "");
  for (int i = 0; i < 3 && !accepted && accepted.error().kind == ErrorKind::io; ++i) {
    accepted = store->perform_and_wait(acceptance(acme.key, kNobody));
  }
  ASSERT_FALSE(accepted);
  EXPECT_EQ(accepted.error().kind, ErrorKind::unavailable);
  const auto question = store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); });
  ASSERT_FALSE(question);
  EXPECT_EQ(question.error().kind, ErrorKind::unavailable);
  proxy.set_open(true);
  while (!accepted) {
    ASSERT_EQ(accepted.error().kind, ErrorKind::unavailable);
    accepted = store->perform_and_wait(acceptance(acme.key, kNobody));
  }
}

// The worst moment for a network to swallow what it is given: nobody hears of the commit, and a
// connection to ask over takes as long as one may take.
TEST_F(AwayTest, WhoAcceptsIsAnsweredThoughNewConnectionsAreNotHeard) {
  PostgresProxy proxy(PostgresServer::running().socket());
  const auto store = open_through(proxy);
  const Account acme = account(*store);
  must(store->perform_and_wait(acceptance(acme.key, kNobody)));
  std::int64_t stored = 0;
  std::vector<ErrorKind> kinds;
  std::chrono::steady_clock::time_point began;
  // The next commit may be another one, of what the store does beside: then once more.
  for (bool is_ours = false; !is_ours;) {
    stored = std::stol(database_.ask("SELECT count(*) FROM deliveries"));
    proxy.fail_next_commit(Fault::all_silent);
    std::vector<std::future<Result<Accepted>>> asked;
    asked.push_back(store->perform_soon(acceptance(acme.key, kNobody)));
    while (!proxy.has_failed()) std::this_thread::yield();
    began = std::chrono::steady_clock::now();
    for (int i = 0; i < 8; ++i) asked.push_back(store->perform_soon(acceptance(acme.key, kNobody)));
    kinds.clear();
    for (auto& each : asked) {
      const auto accepted = each.get();
      if (!accepted) kinds.push_back(accepted.error().kind);
    }
    is_ours = kinds.size() == asked.size();
    if (!is_ours) proxy.hear_again();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_EQ(kinds.front(), ErrorKind::io) << "it may be stored";
  EXPECT_EQ(std::ranges::count(kinds, ErrorKind::io), 1);
  proxy.hear_again();
  Result<Accepted> again = fail(ErrorKind::unavailable, "");
  while (!again) {
    again = store->perform_and_wait(acceptance(acme.key, kNobody));
    if (!again) ASSERT_EQ(again.error().kind, ErrorKind::unavailable);
  }
  stored += 2;  // the one in doubt, and this one
  EXPECT_EQ(database_.ask("SELECT count(*) FROM deliveries"), fmt::format("{}\n", stored));
}

// Its lease lapses while the fate of the claim is found out.
TEST_F(AwayTest, WhatAClaimHasLeasedIsToldThoughItsNodeHasLapsedSince) {
  PostgresProxy proxy(PostgresServer::running().socket());
  const auto store = must(PostgresStore::open(
      {.dial = {.address = proxy.address(database_.name()), .password = {}}, .flight_max = 1s}));
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  const auto due = must(store->perform_and_wait(acceptance(acme.key, kNobody)));
  const BatchKey key{due.delivery.key, 0};
  proxy.fail_next_commit(Fault::silence);
  auto claiming = store->perform_soon(Claim{.node = me, .batches = {key}});
  while (database_.ask("SELECT count(*) FROM batches WHERE holder <> 0") != "1\n") {
  }
  database_.execute("UPDATE node_leases SET until = 0");
  const auto claimed = claiming.get();
  ASSERT_TRUE(claimed) << claimed.error().detail;
  EXPECT_TRUE(claimed->batches.at(0)) << claimed->batches[0].error().detail;
}

// Whatever holds up everybody who writes: who accepts is told so.
TEST_F(AwayTest, WhoAcceptsIsToldThatAllWritersAreHeldUp) {
  const auto store = open();
  const Account acme = account(*store);
  std::promise<void> over;
  const auto end = over.get_future().share();
  std::vector<std::future<Result<void>>> held;
  for (int n = 0; n < 2; ++n) {
    held.push_back(std::async(std::launch::async, [&] {
      return store->write_and_wait(WritePriority::claims, [end](WriteTransaction&) -> Result<void> {
        end.wait();
        return {};
      });
    }));
  }
  const auto in_transaction =
      "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
      " AND datname = current_database()";
  while (database_.ask(in_transaction) != "2\n") {
  }
  const auto asked = std::chrono::steady_clock::now();
  const auto accepted = store->perform_and_wait(acceptance(acme.key, kNobody));
  const auto made = store->write_and_wait(
      WritePriority::accept, [](WriteTransaction& t) { return t.create_account("second"); });
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 9s);
  const auto since = store->figures().performing_since;
  ASSERT_TRUE(since);
  EXPECT_LE(*since, asked) << "what is not answered is told";
  over.set_value();
  for (auto& each : held) EXPECT_TRUE(each.get());
  while (store->figures().performing_since) std::this_thread::yield();
  ASSERT_FALSE(accepted);
  EXPECT_EQ(accepted.error().kind, ErrorKind::unavailable);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::unavailable);
  must(store->perform_and_wait(acceptance(acme.key, kNobody)));
}

// A standby that must have every commit before it is answered, and is gone.
class StandbyTest : public PostgresStoreTest {
 protected:
  void SetUp() override {
    database_.execute(
        fmt::format("ALTER DATABASE {} SET synchronous_commit = on", database_.name()));
  }
  void TearDown() override { returns(); }
  static void goes() { reload("ALTER SYSTEM SET synchronous_standby_names = 'gone'"); }
  static void returns() { reload("ALTER SYSTEM RESET synchronous_standby_names"); }
  static void reload(const char* change) {
    PostgresServer::running().execute("postgres", change);
    PostgresServer::running().execute("postgres", "SELECT pg_reload_conf()");
  }
};

TEST_F(StandbyTest, WhileItIsGoneNobodyIsHeldUpAndNothingAcknowledgedIsLost) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  std::vector<DeliveryKey> acknowledged;
  const auto accept = [&] {
    const auto asked = std::chrono::steady_clock::now();
    auto accepted = store->perform_and_wait(acceptance(acme.key, me));
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 5s);
    if (accepted) acknowledged.push_back(accepted->delivery.key);
    return accepted;
  };
  must(accept());
  goes();
  auto refused = accept();
  while (refused) refused = accept();
  EXPECT_EQ(refused.error().kind, ErrorKind::io) << "it may be stored: " << refused.error().detail;
  EXPECT_EQ(store->figures().doubts, 1U);
  // Who comes after it is told at once, and nothing of theirs is stored.
  for (int i = 0; i < 50; ++i) {
    refused = accept();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable) << refused.error().detail;
  }
  EXPECT_EQ(database_.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"),
            "1\n");
  must(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
  returns();
  auto again = accept();
  while (!again) {
    ASSERT_EQ(again.error().kind, ErrorKind::unavailable);
    again = accept();
  }
  for (const DeliveryKey key : acknowledged) {
    EXPECT_EQ(database_.ask(fmt::format("SELECT count(*) FROM deliveries WHERE key = {}",
                                        static_cast<std::int64_t>(key))),
              "1\n");
  }
  EXPECT_EQ(database_.ask("SELECT count(*) FROM deliveries"),
            fmt::format("{}\n", acknowledged.size() + 1));
}

}  // namespace
}  // namespace todoku::store
