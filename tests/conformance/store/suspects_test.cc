// SPDX-License-Identifier: Apache-2.0
// A mail that kills whoever has it in hand: it is found out, set aside, and the rest goes on.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Deaths {
 public:
  Deaths(Store& store, std::function<NodeKey(std::string_view)> enter)
      : store_(store), enter_(std::move(enter)) {}

  // A node claims the batch, perhaps begins its suspect, and dies.
  OfferedAgain die_with(const BatchKey& batch, bool begun = true) {
    const LeasedBatch lease = claim(batch);
    if (lease.suspect && begun) {
      must(store_.write_and_wait(WritePriority::claims, [&](WriteTransaction& t) {
        return t.mark_begun(lease.held(), true);
      }));
    }
    return die();
  }
  LeasedBatch claim(const BatchKey& batch) {
    node_ = enter_(fmt::format("node{}", ++lives_));
    return must(std::move(
        must(store_.perform_and_wait(Claim{.node = node_, .batches = {batch}})).batches.at(0)));
  }
  OfferedAgain die() {
    (void)enter_(fmt::format("node{}", lives_));  // its successor
    return must(store_.write_and_wait(
        WritePriority::claims, [&](WriteTransaction& t) { return t.offer_again(node_, 10); }));
  }

 private:
  Store& store_;
  std::function<NodeKey(std::string_view)> enter_;
  NodeKey node_{};
  int lives_ = 0;
};

TEST_P(StoreSuite, ABatchThatThreeNodesDiedWithIsLeasedOneByOne) {
  const Delivery sending = started(account().key, recipients(3, "example.jp"));
  const BatchKey batch = due_keys(sending.key).at(0);
  Deaths deaths(*store_, [this](std::string_view name) { return enter(name); });
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(deaths.claim(batch).recipients, SizeIs(3));
    EXPECT_THAT(deaths.die().set_aside, IsEmpty());
  }
  const LeasedBatch alone = deaths.claim(batch);
  EXPECT_TRUE(alone.suspect);
  ASSERT_THAT(alone.recipients, SizeIs(1));
  EXPECT_EQ(alone.recipients[0].seq, 0U);
  // It does no harm: the next one comes.
  settle({outcome(batch, 0, RecipientState::delivered)}, {{.held = alone.held()}});
  const LeasedBatch next = deaths.claim(batch);
  ASSERT_THAT(next.recipients, SizeIs(1));
  EXPECT_EQ(next.recipients[0].seq, 1U);
}

TEST_P(StoreSuite, WhoLeavesInOrderWithABatchInHandCastsNoSuspicion) {
  const Delivery sending = started(account().key, recipients(3, "example.jp"));
  const BatchKey batch = due_keys(sending.key).at(0);
  for (int i = 0; i < 5; ++i) {
    const NodeKey node = enter("node");
    const auto leases = claim(node, {batch});
    ASSERT_THAT(leases, SizeIs(1));
    EXPECT_FALSE(leases[0].suspect);
    EXPECT_THAT(leases[0].recipients, SizeIs(3));
    must(write([&](WriteTransaction& t) { return t.leave_node(node); }));
    if (i % 2 == 0) (void)enter("node");  // who comes next under its name does not change that
    EXPECT_EQ(must(write([&](WriteTransaction& t) { return t.offer_again(node, 10); })).batches, 1);
  }
}

TEST_P(StoreSuite, AMailThatKillsIsSetAsideAndTheRestGoesOn) {
  const Account acme = account();
  const Delivery sending = started(acme.key, recipients(3, "example.jp"));
  const BatchKey batch = due_keys(sending.key).at(0);
  Deaths deaths(*store_, [this](std::string_view name) { return enter(name); });
  for (int i = 0; i < 4; ++i) EXPECT_THAT(deaths.die_with(batch).set_aside, IsEmpty()) << i;
  const auto aside = deaths.die_with(batch).set_aside;
  ASSERT_THAT(aside, SizeIs(1));
  EXPECT_EQ(aside[0].key.seq, 0U);
  EXPECT_EQ(aside[0].account, acme.key);
  EXPECT_EQ(aside[0].address, "user0@example.jp");
  EXPECT_EQ(aside[0].delivery_id, sending.id);

  const Story told = stories("user0@example.jp").at(0);
  EXPECT_TRUE(told.set_aside);
  EXPECT_EQ(told.state, RecipientState::pending);
  EXPECT_EQ(told.due, sending.expires);
  ASSERT_THAT(told.attempts, SizeIs(1));
  EXPECT_THAT(told.attempts[0].outcome.reply.text, ::testing::HasSubstr("set aside"));
  EXPECT_FALSE(told.attempts[0].outcome.is_attempt);
  EXPECT_EQ(told.attempts[0].outcome.cause, Cause::set_aside);

  const LeasedBatch rest = deaths.claim(batch);
  EXPECT_FALSE(rest.suspect);
  EXPECT_THAT(rest.recipients, SizeIs(2));
  settle(
      {outcome(batch, 1, RecipientState::delivered), outcome(batch, 2, RecipientState::delivered)},
      {{.held = rest.held()}});
  EXPECT_THAT(due_keys(sending.key), IsEmpty());

  // An operator has it tried again.
  const auto list = [&] { return must(read([](ReadTransaction& t) { return t.set_aside(10); })); };
  ASSERT_THAT(list(), SizeIs(1));
  const auto offer = [&] {
    return write([&](WriteTransaction& t) { return t.offer_set_aside(aside[0].key); });
  };
  must(offer());
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_EQ(error_of(offer()), "not_found");
  EXPECT_FALSE(stories("user0@example.jp").at(0).set_aside);
  const LeasedBatch again = deaths.claim(batch);
  ASSERT_THAT(again.recipients, SizeIs(1));
  settle({outcome(batch, 0, RecipientState::delivered)}, {{.held = again.held()}});
  EXPECT_EQ(get(sending.key).status, DeliveryStatus::sent);
}

TEST_P(StoreSuite, WhatWasNeverBegunIsNotSetAside) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const BatchKey batch = due_keys(sending.key).at(0);
  Deaths deaths(*store_, [this](std::string_view name) { return enter(name); });
  // It waits behind a slow receiver, while nodes come and go.
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(deaths.die_with(batch, false).set_aside, IsEmpty());
  }
  const LeasedBatch lease = deaths.claim(batch);
  must(write([&](WriteTransaction& t) { return t.mark_begun(lease.held(), true); }));
  must(write([&](WriteTransaction& t) { return t.mark_begun(lease.held(), false); }));
  EXPECT_THAT(deaths.die().set_aside, IsEmpty()) << "it had been put down again";
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.mark_begun(lease.held(), true); })),
            "conflict");
}

TEST_P(StoreSuite, ANodeThatTellsAnOutcomeWasNotKilledByItsBatch) {
  const Delivery sending = started(account().key, recipients(9, "example.jp"));
  const BatchKey batch = due_keys(sending.key).at(0);
  Deaths deaths(*store_, [this](std::string_view name) { return enter(name); });
  for (std::uint32_t seq = 0; seq < 8; ++seq) {
    const LeasedBatch lease = deaths.claim(batch);
    EXPECT_FALSE(lease.suspect) << seq;
    record({outcome(batch, seq, RecipientState::delivered)});
    deaths.die();
  }
}

TEST_P(StoreSuite, WhatIsSetAsideIsDueAtTheEndOfItsLife) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const BatchKey batch = due_keys(sending.key).at(0);
  Deaths deaths(*store_, [this](std::string_view name) { return enter(name); });
  for (int i = 0; i < 5; ++i) deaths.die_with(batch);
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  EXPECT_EQ(upcoming(sending.key), sending.expires);
  clock_.advance(kLifeTime);
  const LeasedBatch lease = deaths.claim(batch);
  EXPECT_LE(lease.expires_in, Milliseconds(0));
  settle({outcome(batch, 0, RecipientState::expired)}, {{.held = lease.held()}});
  EXPECT_EQ(get(sending.key).counts.expired, 1);
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.set_aside(10); })), IsEmpty());
}

TEST_P(StoreSuite, WhatIsSetAsideIsCountedAndListedUntilItsDeliveryIsDeleted) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const BatchKey batch = due_keys(sending.key).at(0);
  Deaths deaths(*store_, [this](std::string_view name) { return enter(name); });
  for (int i = 0; i < 5; ++i) deaths.die_with(batch);
  const auto counted = [&] {
    std::int64_t all = 0;
    for (const QueueFigures& queue :
         must(read([](ReadTransaction& t) { return t.queue_figures(); }))) {
      all += queue.set_aside;
    }
    return all;
  };
  const auto list = [&] { return must(read([](ReadTransaction& t) { return t.set_aside(10); })); };
  EXPECT_EQ(counted(), 1);
  EXPECT_THAT(list(), SizeIs(1));
  must(write([&](WriteTransaction& t) { return t.delete_delivery(sending.key); }));
  EXPECT_EQ(counted(), 0);
  EXPECT_THAT(list(), IsEmpty());
}

}  // namespace
}  // namespace todoku::store
