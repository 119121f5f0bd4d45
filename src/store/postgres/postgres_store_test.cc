// SPDX-License-Identifier: Apache-2.0
// What only a server shows: connections that break, commits whose fate is unknown, two that write
// at once. That it is a store is shown by tests/conformance/store.
#include "store/postgres/postgres_store.h"

#include <future>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/fate.h"
#include "store/postgres/store_fixture.h"
#include "support/shared_clock.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(PostgresStoreTest, WhatIsAcceptedIsStoredAndLeased) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  Accept accept = acceptance(acme.key, me);
  accept.delivery.content.attachments = {{"a.txt", "text/plain", "hello"}};
  const Accepted accepted = must(store->perform_and_wait(std::move(accept)));
  EXPECT_EQ(accepted.delivery.id, 1);
  EXPECT_EQ(accepted.content.subject, "News");
  EXPECT_THAT(accepted.delivery.attachments, SizeIs(1));
  ASSERT_THAT(accepted.batches, SizeIs(1));
  EXPECT_EQ(accepted.batches[0].node, me);
  EXPECT_EQ(accepted.batches[0].token, 1U);
  EXPECT_EQ(accepted.batches[0].domain, "example.jp");
  EXPECT_EQ(accepted.delivery.expires, accepted.delivery.created + 24h);
}

TEST_F(PostgresStoreTest, ABadItemAmongGoodOnesIsRefusedAlone) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  std::vector<std::future<Result<Accepted>>> answers;
  for (int i = 0; i < 50; ++i) {
    Accept accept = acceptance(acme.key, me, fmt::format("user{}", i));
    // Not looked at by check_sound(): the database refuses it, and with it its whole flight.
    if (i == 23) accept.signing = "no \xff UTF-8";
    if (i == 31) accept.delivery.account = AccountKey{987'654};
    answers.push_back(store->perform_soon(std::move(accept)));
  }
  for (int i = 0; i < 50; ++i) {
    const auto answer = answers[static_cast<std::size_t>(i)].get();
    EXPECT_EQ(answer.has_value(), i != 23 && i != 31) << i;
    if (i == 31) EXPECT_EQ(answer.error().kind, ErrorKind::not_found);
  }
}

TEST_F(PostgresStoreTest, ConnectionsThatAreEndedAreMadeAnew) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  for (int round = 0; round < 5; ++round) {
    database_.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    EXPECT_TRUE(store->perform_and_wait(acceptance(acme.key, me))) << round;
    EXPECT_TRUE(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); })) << round;
    EXPECT_TRUE(store->write_and_wait(WritePriority::accept, [](WriteTransaction& t) {
      return t.put_setting("a", "b");
    })) << round;
  }
}

TEST_F(PostgresStoreTest, ACommitInDoubtIsFoundOut) {
  postgres::Dialer dialer({.address = database_.address(), .password = {}});
  const auto first = must(dialer.dial());
  const auto second = must(dialer.dial());
  // Committed: the token is there.
  const std::int64_t stored = postgres::new_token();
  postgres::add_begin(*first, stored, {});
  ASSERT_TRUE(first->add(postgres::kCommit).fly(5s));
  EXPECT_TRUE(must(postgres::was_committed(*second, stored, 5s)));
  EXPECT_TRUE(must(postgres::was_committed(*second, stored, 5s))) << "asked twice";
  // Still going on: the question waits, and is answered by how it ends.
  const std::int64_t slow = postgres::new_token();
  postgres::add_begin(*first, slow, {});
  ASSERT_TRUE(first->fly(5s));
  std::thread asks([&] { EXPECT_TRUE(must(postgres::was_committed(*second, slow, 5s))); });
  ASSERT_TRUE(first->add(postgres::kCommit).fly(5s));
  asks.join();
  // Not there, and kept from coming after all.
  const std::int64_t late = postgres::new_token();
  EXPECT_FALSE(must(postgres::was_committed(*second, late, 5s)));
  EXPECT_FALSE(must(postgres::was_committed(*second, late, 5s))) << "asked twice";
  postgres::add_begin(*first, late, {});
  EXPECT_FALSE(first->add(postgres::kCommit).fly(5s));
  EXPECT_EQ(first->failure().state, "23505");
  EXPECT_TRUE(first->usable());
}

TEST_F(PostgresStoreTest, ASchemaThatIsNotThereIsSaid) {
  PostgresServer& server = PostgresServer::running();
  server.execute("postgres", "CREATE DATABASE empty");
  const auto none =
      PostgresStore::open({.dial = {.address = server.address("empty"), .password = {}}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
  EXPECT_THAT(none.error().detail, ::testing::HasSubstr("todoku migrate up"));
  server.execute("empty", "CREATE TABLE theirs(x int)");
  const auto theirs =
      PostgresStore::open({.dial = {.address = server.address("empty"), .password = {}}});
  ASSERT_FALSE(theirs);
  EXPECT_EQ(theirs.error().kind, ErrorKind::corrupt);
  server.drop_database("empty");
  // A step that this program cannot live with (MigrationTest has those that it can).
  database_.execute(
      "INSERT INTO todoku_schema SELECT max(step) + 1, 0 FROM todoku_schema;"
      "UPDATE meta SET value = (SELECT convert_to(max(step)::text, 'UTF8') FROM todoku_schema)"
      " WHERE name = 'worked_on_by'");
  const auto newer =
      PostgresStore::open({.dial = {.address = database_.address(), .password = {}}});
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().kind, ErrorKind::unsupported);
}

TEST_F(PostgresStoreTest, NodesAreRenewedVoidedAndBuried) {
  const auto store = open();
  const NodeKey me = enter(*store);
  const auto write = [&](auto work) { return store->write_and_wait(WritePriority::claims, work); };
  EXPECT_TRUE(write([&](WriteTransaction& t) { return t.renew_node(me); }));
  EXPECT_FALSE(must(write([&](WriteTransaction& t) { return t.void_node(me); })));
  const NodeKey successor = enter(*store);
  EXPECT_NE(successor, me);
  const auto renewed = write([&](WriteTransaction& t) { return t.renew_node(me); });
  ASSERT_FALSE(renewed);
  EXPECT_EQ(renewed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(must(write([&](WriteTransaction& t) { return t.offer_again(me, 10); })).batches, 0);
  EXPECT_THAT(must(store->read_and_wait([](ReadTransaction& t) { return t.nodes(); })), SizeIs(1));
}

// The new primary's clock is behind the old one's: a lease that was given by the old one ends, all
// the same, when it was not renewed for as long as a lease is.
TEST_F(PostgresStoreTest, NoLeaseOutlivesAFailOverToAClockThatIsBehind) {
  SharedClock before;
  SharedClock after;
  before.jump(10min);
  const auto open_by = [&](const Clock& clock) {
    return must(PostgresStore::open(
        {.dial = {.address = database_.address(), .password = {}}, .clock = &clock}));
  };
  const auto write = [](Store& store, auto work) {
    return store.write_and_wait(WritePriority::claims, work);
  };
  const auto old_primary = open_by(before);
  const NodeKey dead = enter(*old_primary, "dead");
  const NodeKey lives = enter(*old_primary, "lives");
  const auto store = open_by(after);
  must(write(*store, [&](WriteTransaction& t) { return t.renew_node(lives); }));
  EXPECT_FALSE(must(write(*store, [&](WriteTransaction& t) { return t.void_node(dead); })));
  for (const Node& node :
       must(store->read_and_wait([](ReadTransaction& t) { return t.nodes(); }))) {
    EXPECT_EQ(node.left, kNodeLease);
  }
  after.advance(kNodeLease);
  EXPECT_TRUE(must(write(*store, [&](WriteTransaction& t) { return t.void_node(dead); })));
}

// Whoever received it may have died with the old primary; by the new one's clock it is hidden for
// ten minutes more.
TEST_F(PostgresStoreTest, ABellThatWasHeldComesAgainThoughTheClockWentBack) {
  SharedClock before;
  SharedClock after;
  before.jump(10min);
  const auto open_by = [&](const Clock& clock) {
    return must(PostgresStore::open(
        {.dial = {.address = database_.address(), .password = {}}, .clock = &clock}));
  };
  const BellChannel channel{"main", TrafficClass::bulk};
  std::uint64_t reception = 0;
  const auto hear = [&](Store& store, std::vector<Bell> rung) {
    BellWork work;
    work.rung = std::move(rung);
    work.wanted = {{channel, 10}};
    work.visibility = 30s;
    work.reception = ++reception;
    return must(store.perform_and_wait(std::move(work))).bells.size();
  };
  const Bell bell{channel, {DeliveryKey{7}, 1}};
  const auto old_primary = open_by(before);
  EXPECT_EQ(hear(*old_primary, {bell}), 1U);
  const auto store = open_by(after);
  // As the scheduler rings again for what was not claimed: then it is ready by this clock.
  EXPECT_EQ(hear(*store, {bell}), 1U);
  EXPECT_EQ(hear(*store, {}), 0U) << "it is held now";
  after.advance(31s);
  EXPECT_EQ(hear(*store, {}), 1U);
  // Held beyond what anybody holds, and ready: what no ringing came for.
  database_.execute("UPDATE bells SET hidden = hidden + 600000");
  EXPECT_EQ(hear(*store, {}), 1U);
}

// It is ahead: every lease has lapsed at once, and who renews lives on.
TEST_F(PostgresStoreTest, AFailOverToAClockThatIsAheadKillsNobodyWhoRenews) {
  SharedClock clock;
  const auto store = must(PostgresStore::open(
      {.dial = {.address = database_.address(), .password = {}}, .clock = &clock}));
  const NodeKey me = enter(*store);
  clock.advance(10min);
  const auto renewed = store->write_and_wait(WritePriority::claims,
                                             [&](WriteTransaction& t) { return t.renew_node(me); });
  EXPECT_TRUE(renewed);
  EXPECT_FALSE(must(store->write_and_wait(WritePriority::claims,
                                          [&](WriteTransaction& t) { return t.void_node(me); })));
}

// As one of the version before stands there, which says nothing of what it knows.
TEST_F(PostgresStoreTest, NothingIsMadeThatANodeWhichLivesDoesNotKnow) {
  const auto store = open();
  const Account acme = account(*store);
  const auto write = [&](auto work) { return store->write_and_wait(WritePriority::accept, work); };
  const std::string settings = "egress mx1\t192.0.2.1\n";
  (void)must(write([&](WriteTransaction& t) {
    return t.enter_node({.name = "me", .roles = "api", .version = "2", .settings = settings});
  }));
  enter(*store, "old");
  EXPECT_EQ(must(store->read_and_wait([](ReadTransaction& t) { return t.nodes(); }))[0].settings,
            settings);
  NewDelivery bulk;
  bulk.account = acme.key;
  bulk.type = DeliveryType::bulk;
  bulk.traffic = TrafficClass::bulk;
  bulk.content.from = {"news@example.com", "News"};
  const auto draft = must(write([&](WriteTransaction& t) { return t.create_draft(bulk, 100); }));

  std::int64_t names = 0;
  const auto refusals = [&] {
    std::vector<std::string> told;
    const auto note = [&](const auto& done) {
      if (done) return;
      EXPECT_EQ(done.error().kind, ErrorKind::unsupported);
      EXPECT_THAT(done.error().detail, HasSubstr("older_version_lives: 1 processes"));
      told.push_back(done.error().detail);
    };
    note(write([&](WriteTransaction& t) {
      return t.create_account(fmt::format("{}.sandbox", ++names), true);
    }));
    note(write([&](WriteTransaction& t) {
      return t.create_template(acme.key,
                               {.name = fmt::format("{}", ++names), .content = bulk.content});
    }));
    note(write([&](WriteTransaction& t) {
      return change_steering(t, draft.key, {.pace = Pace{.mails = ++names}}, {});
    }));
    Account listed = acme;
    listed.allowed_recipients = fmt::format("{}@example.jp\n", ++names);
    note(write([&](WriteTransaction& t) { return t.change_account(listed); }));
    note(write([&](WriteTransaction& t) {
      return t.add_person({.account = acme.key,
                           .email = fmt::format("user{}@example.jp", ++names),
                           .name = "User",
                           .role = Role::owner,
                           .language = "ja"});
    }));
    note(write(
        [&](WriteTransaction& t) { return t.put_sign_in_rules(acme.key, {.approval = true}); }));
    return told;
  };
  EXPECT_THAT(refusals(), IsEmpty());
  database_.execute("UPDATE nodes SET settings = '' WHERE name = 'old'");
  EXPECT_THAT(refusals(),
              ElementsAre(HasSubstr("do not know sandboxes"), HasSubstr("do not know templates"),
                          HasSubstr("do not know paces and quiet hours"),
                          HasSubstr("do not know allowed_recipients"),
                          HasSubstr("do not know people"), HasSubstr("do not know people")));
  database_.execute("UPDATE nodes SET settings = E'knows 32\\n' WHERE name = 'old'");
  EXPECT_THAT(refusals(), SizeIs(5)) << "it knows templates";
  database_.execute("UPDATE nodes SET settings = E'knows 37\\n' WHERE name = 'old'");
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("do not know approvals")));
  database_.execute("UPDATE nodes SET settings = '' WHERE name = 'old'");
  // What takes away is never refused.
  must(write([&](WriteTransaction& t) { return t.change_account(acme); }));
  must(write([&](WriteTransaction& t) { return t.put_sign_in_rules(acme.key, {}); }));
  EXPECT_TRUE(must(write([&](WriteTransaction& t) {
    return change_steering(t, draft.key, {.pace = std::optional<Pace>()}, {});
  })));
  database_.execute("UPDATE nodes SET void = 1 WHERE name = 'old'");
  EXPECT_THAT(refusals(), IsEmpty());
}

}  // namespace
}  // namespace todoku::store
