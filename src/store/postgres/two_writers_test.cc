// SPDX-License-Identifier: Apache-2.0
// What only several writers show: two stores on one database, as two processes have them.
#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/dialer.h"
#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

class TwoWritersTest : public PostgresStoreTest {
 protected:
  void SetUp() override {
    first_ = open();
    second_ = open();
    acme_ = account(*first_);
  }
  // Runs both at once, each on its store.
  static void at_once(const std::function<void()>& one, const std::function<void()>& other) {
    std::thread thread(other);
    one();
    thread.join();
  }
  template <class Work>
  static auto write(Store& store, Work work) {
    return store.write_and_wait(WritePriority::accept, std::move(work));
  }
  [[nodiscard]] NewDelivery bulk() const {
    NewDelivery delivery;
    delivery.account = acme_.key;
    delivery.type = DeliveryType::bulk;
    delivery.traffic = TrafficClass::bulk;
    delivery.content.from = {"news@example.com", "News"};
    return delivery;
  }
  [[nodiscard]] Delivery draft() {
    return must(write(*first_, [&](WriteTransaction& t) { return t.create_draft(bulk(), 100); }));
  }

  std::unique_ptr<PostgresStore> first_;
  std::unique_ptr<PostgresStore> second_;
  Account acme_;
};

TEST_F(TwoWritersTest, OfTwoThatMustBeAloneOneEnters) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> entered{0};
    const auto enter = [&](Store& store, const std::string& name) {
      const auto node = write(store, [&](WriteTransaction& t) {
        return t.enter_node({.name = name, .roles = "", .version = "", .alone = true});
      });
      if (!node) {
        EXPECT_EQ(node.error().kind, ErrorKind::conflict);
        return;
      }
      ++entered;
    };
    at_once([&] { enter(*first_, "here"); }, [&] { enter(*second_, "there"); });
    EXPECT_EQ(entered, 1) << round;
    database_.execute("DELETE FROM node_leases; DELETE FROM nodes");
  }
}

// The others of both flights are accepted whoever comes first.
TEST_F(TwoWritersTest, OfTwoThatAcceptUnderOneKeyOneDoesAndTheOtherIsTold) {
  constexpr int kRounds = 30;
  constexpr int kOthers = 5;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> accepted{0};
    std::atomic<int> told{0};
    const auto send = [&](Store& store) {
      Accept keyed = acceptance(acme_.key, kNobody);
      keyed.idempotency = {
          .key = {acme_.key, KeyedRoute::transaction, sha256(fmt::format("{}", round))}};
      std::vector<std::future<Result<Accepted>>> others;
      for (int i = 0; i < kOthers; ++i) {
        others.push_back(store.perform_soon(acceptance(acme_.key, kNobody)));
      }
      const auto answer = store.perform_and_wait(std::move(keyed));
      for (auto& other : others) EXPECT_TRUE(other.get());
      if (answer) {
        ++accepted;
      } else {
        EXPECT_EQ(answer.error().kind, ErrorKind::conflict) << answer.error().detail;
        ++told;
      }
    };
    at_once([&] { send(*first_); }, [&] { send(*second_); });
    EXPECT_EQ(accepted, 1);
    EXPECT_EQ(told, 1);
  }
  EXPECT_EQ(database_.ask("SELECT count(*) FROM deliveries"),
            fmt::format("{}\n", kRounds * (2 * kOthers + 1)));
  EXPECT_EQ(database_.ask("SELECT count(*) FROM kept_answers k JOIN deliveries d"
                          " ON d.account = k.account AND d.id = k.answer"),
            fmt::format("{}\n", kRounds));
}

TEST_F(TwoWritersTest, OfTwoFunctionsUnderOneKeyOneMakesWhatTheOtherUndoes) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> made{0};
    const auto begin = [&](Store& store) {
      const auto done = write(store, [&](WriteTransaction& t) -> Result<void> {
        const auto draft = t.create_draft(bulk(), 100);
        if (!draft) return fail(draft.error());
        return t.keep_answer(
            {.key = {acme_.key, KeyedRoute::bulk_begin, sha256(fmt::format("{}", round))},
             .answer = draft->id});
      });
      if (done) {
        ++made;
      } else {
        EXPECT_EQ(done.error().kind, ErrorKind::conflict) << done.error().detail;
      }
    };
    at_once([&] { begin(*first_); }, [&] { begin(*second_); });
    EXPECT_EQ(made, 1);
  }
  EXPECT_EQ(database_.ask("SELECT count(*) FROM deliveries"), "20\n");
}

// Each has numbers of its own, and those of the first are the lower ones: it made the account.
TEST_F(TwoWritersTest, WhatOneAddsToTheDraftOfAnotherIsSent) {
  const NodeKey node = enter(*second_, "second");
  const Delivery made =
      must(write(*second_, [&](WriteTransaction& t) { return t.create_draft(bulk(), 100); }));
  const std::vector<NewRecipient> one{{"a@one.example", "one.example", {}}};
  must(write(*first_, [&](WriteTransaction& t) { return t.append_recipients(made.key, one); }));
  must(write(*second_,
             [&](WriteTransaction& t) { return t.commit_draft(made.key, std::nullopt, {}); }));
  must(write(*second_, [&](WriteTransaction& t) { return t.start_delivery(made.key, "", 24h); }));
  const auto due = must(first_->perform_and_wait(Due{.workload = made.key}));
  ASSERT_THAT(due.domains, SizeIs(1));
  ASSERT_THAT(due.domains.front().batches, SizeIs(1));
  const BatchKey key = due.domains.front().batches.front().key;
  const auto claimed = must(second_->perform_and_wait(Claim{.node = node, .batches = {key}}));
  ASSERT_TRUE(claimed.batches.front()) << claimed.batches.front().error().detail;
  const LeasedBatch& leased = *claimed.batches.front();
  ASSERT_THAT(leased.recipients, SizeIs(1));
  OutcomeRecord delivered{.key = {made.key, key.batch, leased.recipients.front().seq}};
  delivered.outcome.state = RecipientState::delivered;
  const std::vector outcomes{delivered};
  const std::vector releases{BatchRelease{.held = leased.held()}};
  const auto settled =
      must(first_->perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
  ASSERT_TRUE(settled.outcomes.front());
  EXPECT_EQ(settled.outcomes.front()->state, RecipientState::delivered);
  EXPECT_EQ(settled.finished, std::vector{made.key});
  const std::int64_t number = std::stoll(database_.ask("SELECT max(number) FROM batches"));
  EXPECT_LT(number, static_cast<std::int64_t>(made.key)) << "this shows nothing";
}

TEST_F(TwoWritersTest, ALeaseOfAClockThatWentBackKeepsNobodyOut) {
  const NodeKey before = enter(*first_, "before");
  database_.execute("UPDATE node_leases SET until = until + 600000");
  const NewNode sole{.name = "now", .roles = "", .version = "", .alone = true};
  must(write(*second_, [&](WriteTransaction& t) { return t.enter_node(sole); }));
  EXPECT_FALSE(write(*first_, [&](WriteTransaction& t) { return t.renew_node(before); }));
}

TEST_F(TwoWritersTest, OfTwoThatTakeALapsedReignOneLeadsAndBothAreToldWho) {
  const NodeKey here = enter(*first_, "here");
  const NodeKey there = enter(*second_, "there");
  std::uint64_t token = 0;
  for (int round = 0; round < 50; ++round) {
    Leader one;
    Leader other;
    at_once([&] { one = must(write(*first_, [&](auto& t) { return t.lead(here); })); },
            [&] { other = must(write(*second_, [&](auto& t) { return t.lead(there); })); });
    EXPECT_EQ(one.node, other.node) << round;
    EXPECT_EQ(one.token, other.token) << round;
    EXPECT_GE(one.token, token);
    token = one.token;
    database_.execute("UPDATE leadership SET until = until - 600000");
  }
}

TEST_F(TwoWritersTest, AReignOfAClockThatWentBackKeepsNobodyOut) {
  const NodeKey here = enter(*first_, "here");
  const NodeKey there = enter(*second_, "there");
  must(write(*first_, [&](WriteTransaction& t) { return t.lead(here); }));
  database_.execute("UPDATE leadership SET until = until + 600000");
  EXPECT_EQ(must(write(*second_, [&](WriteTransaction& t) { return t.lead(there); })).node, there);
  EXPECT_LE(must(write(*first_, [&](WriteTransaction& t) { return t.lead(here); })).left,
            kLeadership);
}

TEST_F(TwoWritersTest, ASourceThatIsFreeIsTakenOnce) {
  const NodeKey here = enter(*first_, "here");
  const NodeKey there = enter(*second_, "there");
  for (int round = 0; round < 50; ++round) {
    SourceOwner one;
    SourceOwner other;
    at_once(
        [&] { one = must(write(*first_, [&](auto& t) { return t.take_source(here, "a"); })); },
        [&] { other = must(write(*second_, [&](auto& t) { return t.take_source(there, "a"); })); });
    EXPECT_EQ(one.node, other.node) << round;
    EXPECT_EQ(one.token, static_cast<std::uint64_t>(round) + 1);
    EXPECT_EQ(other.token, one.token);
    must(write(*first_, [&](WriteTransaction& t) { return t.give_source(one.node, "a"); }));
  }
}

// The dead one's node is made void and what it had is taken while it asks for more.
TEST_F(TwoWritersTest, WhoBecomesVoidTakesNothingAnyMore) {
  const NodeKey here = enter(*first_, "here");
  for (int round = 0; round < 25; ++round) {
    const NodeKey there = enter(*second_, "there" + std::to_string(round));
    Result<Leader> led = fail(ErrorKind::cancelled, "");
    Result<SourceOwner> owned = fail(ErrorKind::cancelled, "");
    database_.execute("UPDATE node_leases SET until = 0");
    at_once(
        [&] {
          led = write(*second_, [&](WriteTransaction& t) { return t.lead(there); });
          owned = write(*second_, [&](WriteTransaction& t) { return t.take_source(there, "a"); });
        },
        [&] {
          EXPECT_TRUE(
              must(write(*first_, [&](WriteTransaction& t) { return t.void_node(there); })));
        });
    if (!led) EXPECT_EQ(led.error().kind, ErrorKind::conflict);
    if (!owned) EXPECT_EQ(owned.error().kind, ErrorKind::conflict);
    EXPECT_TRUE(led || !owned) << "who is void stays void";
    EXPECT_EQ(must(write(*first_, [&](WriteTransaction& t) { return t.lead(here); })).node, here);
    const auto taken =
        must(write(*first_, [&](WriteTransaction& t) { return t.take_source(here, "a"); }));
    EXPECT_EQ(taken.node, here);
    must(write(*first_, [&](WriteTransaction& t) { return t.stop_leading(here); }));
    must(write(*first_, [&](WriteTransaction& t) { return t.give_source(here, "a"); }));
  }
}

TEST_F(TwoWritersTest, ANameIsTakenOnce) {
  std::atomic<int> made{0};
  std::atomic<int> taken{0};
  const auto create = [&](Store& store) {
    for (int i = 0; i < 20; ++i) {
      const auto account = write(
          store, [&](WriteTransaction& t) { return t.create_account(fmt::format("name{}", i)); });
      if (account) ++made;
      if (!account && account.error().kind == ErrorKind::conflict) ++taken;
    }
  };
  at_once([&] { create(*first_); }, [&] { create(*second_); });
  EXPECT_EQ(made, 20);
  EXPECT_EQ(taken, 20);
}

TEST_F(TwoWritersTest, ASettingPutOnceIsTheSameForBoth) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = fmt::format("once{}", round);
    std::string of_first;
    std::string of_second;
    const auto put = [&](Store& store, const char* value, std::string& is) {
      is = must(write(store, [&](WriteTransaction& t) { return t.put_setting_once(name, value); }));
    };
    at_once([&] { put(*first_, "first", of_first); }, [&] { put(*second_, "second", of_second); });
    EXPECT_EQ(of_first, of_second);
  }
}

TEST_F(TwoWritersTest, AJobOfADeadNodeIsTakenByOne) {
  const NodeKey one = enter(*first_, "one");
  const NodeKey other = enter(*second_, "other");
  for (int round = 0; round < 20; ++round) {
    const Delivery delivery = draft();
    const ImportJob job = must(write(*first_, [&](WriteTransaction& t) {
      return t.create_import(delivery.key, {.upload = "list"}, NodeKey{999'999});
    }));
    std::atomic<int> taken{0};
    const auto take = [&](Store& store, NodeKey node) {
      const auto restarted = write(
          store, [&](WriteTransaction& t) { return t.restart_import(job.id, job.account, node); });
      if (restarted) ++taken;
    };
    at_once([&] { take(*first_, one); }, [&] { take(*second_, other); });
    EXPECT_EQ(taken, 1);
  }
}

TEST_F(TwoWritersTest, OfTwoUploadsKeptAtOnceUnderANameOneHasIt) {
  for (int round = 0; round < 20; ++round) {
    std::set<UploadKey> keys;
    std::mutex mutex;
    const auto keep = [&](Store& store) {
      const UploadKey key =
          must(write(store, [](WriteTransaction& t) { return t.begin_upload(kNobody); }));
      must(write(store, [&](WriteTransaction& t) { return t.keep_upload(key, "errors"); }));
      const std::lock_guard lock(mutex);
      keys.insert(key);
    };
    at_once([&] { keep(*first_); }, [&] { keep(*second_); });
    const KeptUpload kept =
        must(first_->read_and_wait([](ReadTransaction& t) { return t.upload("errors"); }));
    EXPECT_TRUE(keys.contains(kept.key));
  }
}

TEST_F(TwoWritersTest, TheLastDraftIsGivenOnce) {
  std::atomic<int> made{0};
  const auto create = [&](Store& store) {
    for (int i = 0; i < 10; ++i) {
      if (write(store, [&](WriteTransaction& t) { return t.create_draft(bulk(), 7); })) ++made;
    }
  };
  at_once([&] { create(*first_); }, [&] { create(*second_); });
  EXPECT_EQ(made, 7);
}

TEST_F(TwoWritersTest, RecipientsAddedAtOnceAreAllThereWithIdsOfTheirOwn) {
  const Delivery made = draft();
  std::mutex mutex;
  std::set<PublicId> ids;
  const auto add = [&](Store& store, std::string_view name) {
    for (int i = 0; i < 25; ++i) {
      const std::vector<NewRecipient> some{
          {fmt::format("{}{}@example.jp", name, i), "example.jp", {}},
          {fmt::format("{}{}@example.com", name, i), "example.com", {}}};
      const auto added = must(
          write(store, [&](WriteTransaction& t) { return t.append_recipients(made.key, some); }));
      const std::lock_guard lock(mutex);
      ids.insert(added.begin(), added.end());
    }
  };
  at_once([&] { add(*first_, "one"); }, [&] { add(*second_, "two"); });
  EXPECT_THAT(ids, SizeIs(100));
  EXPECT_EQ(must(first_->read_and_wait([&](ReadTransaction& t) {
              return t.delivery(made.key);
            })).counts.total,
            100);
  EXPECT_EQ(database_.ask("SELECT count(*) FROM recipients"), "100\n");
  EXPECT_EQ(database_.ask("SELECT sum(open) FROM batches"), "100\n");
}

TEST_F(TwoWritersTest, ADraftIsClearedOrCommittedAndFilledInSomeOrder) {
  for (int round = 0; round < 10; ++round) {
    const Delivery made = draft();
    const std::vector<NewRecipient> some{{"one@example.jp", "example.jp", {}}};
    must(write(*first_, [&](WriteTransaction& t) { return t.append_recipients(made.key, some); }));
    Result<void> committed;
    Result<std::vector<PublicId>> added;
    at_once(
        [&] {
          committed = write(*first_, [&](WriteTransaction& t) -> Result<void> {
            auto done = t.clear_recipients(made.key);
            return done ? t.commit_draft(made.key, std::nullopt, {}) : done;
          });
        },
        [&] {
          added = write(*second_,
                        [&](WriteTransaction& t) { return t.append_recipients(made.key, some); });
        });
    EXPECT_TRUE(committed) << committed.error().detail;
    // Before it was cleared, or too late.
    if (!added) EXPECT_EQ(added.error().kind, ErrorKind::conflict) << added.error().detail;
    EXPECT_EQ(must(first_->read_and_wait([&](ReadTransaction& t) {
                return t.delivery(made.key);
              })).counts.total,
              0);
  }
}

// Two functions that lock two rows in opposite orders: one of them is run again.
TEST_F(TwoWritersTest, ADeadlockIsResolvedByRunningOneAgain) {
  must(write(*first_, [](WriteTransaction& t) { return t.put_setting("a", "0"); }));
  must(write(*first_, [](WriteTransaction& t) { return t.put_setting("b", "0"); }));
  std::latch both(2);
  std::atomic<int> runs{0};
  const auto change = [&](Store& store, std::string_view one, std::string_view other) {
    bool met = false;
    must(write(store, [&, met](WriteTransaction& t) mutable -> Result<void> {
      ++runs;
      auto done = t.put_setting(one, one);
      if (!done) return done;
      if (!std::exchange(met, true)) both.arrive_and_wait();
      return t.put_setting(other, one);
    }));
  };
  at_once([&] { change(*first_, "a", "b"); }, [&] { change(*second_, "b", "a"); });
  EXPECT_EQ(runs, 3);
}

// Who steers many tells the topic of what is held at the end: it keeps no row that who has the next
// of them waits for.
TEST_F(TwoWritersTest, WhoSteersManyAndWhoSteersOneOfThemDoNotWaitInACircle) {
  const auto going = [&] {
    const Delivery made = draft();
    const std::vector<NewRecipient> some{{"one@example.jp", "example.jp", {}}};
    must(write(*first_, [&](WriteTransaction& t) { return t.append_recipients(made.key, some); }));
    must(write(*first_,
               [&](WriteTransaction& t) { return t.commit_draft(made.key, std::nullopt, {}); }));
    must(write(*first_, [&](WriteTransaction& t) { return t.start_delivery(made.key, "", 24h); }));
    return made.key;
  };
  const DeliveryKey one = going();
  const DeliveryKey next = going();
  std::latch both(2);
  std::atomic<int> runs{0};
  at_once(
      [&] {
        bool met = false;
        must(write(*first_, [&, met](WriteTransaction& t) mutable -> Result<bool> {
          ++runs;
          auto done = t.steer_delivery(one, Course::paused);
          if (!done) return done;
          if (!std::exchange(met, true)) both.arrive_and_wait();
          return t.steer_delivery(next, Course::paused);
        }));
      },
      [&] {
        bool met = false;
        must(write(*second_, [&, met](WriteTransaction& t) mutable -> Result<bool> {
          ++runs;
          auto locked = t.lock_deliveries(std::span(&next, 1));
          if (!locked) return fail(std::move(locked.error()));
          if (!std::exchange(met, true)) both.arrive_and_wait();
          return t.steer_delivery(next, Course::paused);
        }));
      });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(database_.ask("SELECT count(*) FROM deliveries WHERE course = 1"), "2\n");
}

TEST_F(TwoWritersTest, WhatOneNodeIsHandedWhileItIsDeclaredDeadIsNotLost) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const NodeKey me = enter(*first_, "me");
    std::vector<std::future<Result<Accepted>>> accepted;
    at_once(
        [&] {
          for (int i = 0; i < 20; ++i) {
            accepted.push_back(first_->perform_soon(acceptance(acme_.key, me)));
          }
          for (auto& answer : accepted) must(answer.get());
        },
        [&] { (void)enter(*second_, "me"); });  // its successor
    must(write(*second_, [&](WriteTransaction& t) { return t.offer_again(me, 1'000); }));
    EXPECT_EQ(database_.ask(fmt::format("SELECT count(*) FROM batches WHERE holder = {}",
                                        static_cast<std::int64_t>(me))),
              "0\n");
  }
  EXPECT_EQ(database_.ask("SELECT count(*) FROM batches WHERE ready_at IS NOT NULL"),
            fmt::format("{}\n", kRounds * 20));
}

// Who declares a node dead has its row; who hands it work waits for that, and sees it.
TEST_F(TwoWritersTest, WhoIsBeingDeclaredDeadIsHandedNothing) {
  const NodeKey me = enter(*first_);
  const Accepted free = must(first_->perform_and_wait(acceptance(acme_.key, kNobody)));
  postgres::Dialer dialer({.address = database_.address(), .password = {}});
  const auto grave = must(dialer.dial());
  const postgres::Sql bury{postgres::Sql::Once{}, "bury", "UPDATE nodes SET void = 1"};
  ASSERT_TRUE(grave->add(postgres::kBegin).add(bury).fly(5s));
  auto accepted = first_->perform_soon(acceptance(acme_.key, me));
  auto claimed = second_->perform_soon(Claim{.node = me, .batches = {{free.delivery.key, 0}}});
  const auto waiting = [&] {
    return database_.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()");
  };
  const auto is_done = [](const auto& future) {
    return future.wait_for(0s) == std::future_status::ready;
  };
  while (waiting() != "2\n" && !is_done(accepted) && !is_done(claimed)) {
  }
  ASSERT_TRUE(grave->add(postgres::kCommit).fly(5s));
  EXPECT_THAT(must(accepted.get()).batches, ::testing::IsEmpty());
  const auto lapsed = claimed.get();
  ASSERT_FALSE(lapsed);
  EXPECT_EQ(lapsed.error().kind, ErrorKind::conflict);
}

// Many mails are on their way in two flights, so that the server has work while the network has it.
TEST_F(TwoWritersTest, MailsAreAcceptedInTwoFlightsAtOnce) {
  const NodeKey me = enter(*first_);
  must(first_->perform_and_wait(acceptance(acme_.key, kNobody)));  // ids are there
  postgres::Dialer dialer({.address = database_.address(), .password = {}});
  const auto holder = must(dialer.dial());
  const postgres::Sql hold{postgres::Sql::Once{}, "hold", "SELECT key FROM nodes FOR UPDATE"};
  ASSERT_TRUE(holder->add(postgres::kBegin).add(hold).fly(5s));
  std::vector<std::future<Result<Accepted>>> accepted;
  for (int i = 0; i < 64; ++i) {
    accepted.push_back(first_->perform_soon(acceptance(acme_.key, me)));
  }
  while (database_.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                       " AND datname = current_database()") != "2\n") {
  }
  ASSERT_TRUE(holder->add(postgres::kCommit).fly(5s));
  std::set<PublicId> ids;
  for (auto& answer : accepted) ids.insert(must(answer.get()).delivery.id);
  EXPECT_THAT(ids, SizeIs(64));
}

TEST_F(TwoWritersTest, TokensAreForgottenAfterAnHour) {
  database_.execute("INSERT INTO flights SELECT n, 1000, 0 FROM generate_series(1, 50) n");
  EXPECT_TRUE(must(write(*first_, [](WriteTransaction& t) { return t.purge_deleted(30); })))
      << "there is more";
  while (must(write(*first_, [](WriteTransaction& t) { return t.purge_deleted(30); }))) {
  }
  EXPECT_EQ(database_.ask("SELECT count(*) FROM flights WHERE at = 1000"), "0\n");
  EXPECT_NE(database_.ask("SELECT count(*) FROM flights"), "0\n");
}

// An index on what changes would cost every change its place in the page.
TEST_F(TwoWritersTest, WhatChangesPerMailStaysInItsPage) {
  const NodeKey me = enter(*first_);
  for (int i = 0; i < 50; ++i) {
    const Accepted accepted = must(first_->perform_and_wait(acceptance(acme_.key, me)));
    OutcomeRecord record;
    record.key = {accepted.batches.at(0).key.delivery, accepted.batches.at(0).key.batch, 0};
    record.outcome.state = RecipientState::delivered;
    must(first_->perform_and_wait(Settle{.outcomes = std::span(&record, 1), .releases = {}}));
  }
  first_->close();  // its sessions report what they did
  second_->close();
  const auto updates = [&] {
    return database_.ask(
        "SELECT n_tup_upd || ' ' || n_tup_hot_upd FROM pg_stat_user_tables"
        " WHERE relname = 'deliveries'");
  };
  std::string told = updates();
  for (int i = 0; i < 1'000 && told != "50 50\n"; ++i) told = updates();
  EXPECT_EQ(told, "50 50\n");
}

}  // namespace
}  // namespace todoku::store
