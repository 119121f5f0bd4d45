// SPDX-License-Identifier: Apache-2.0
// Deliveries that are sent at most once: whose mail was on its way when nobody knows of it any more
// is in doubt for good.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

NewDelivery once(NewDelivery delivery) {
  delivery.at_most_once = true;
  return delivery;
}

Result<void> mark(Store& store, const HeldBatch& held, std::uint32_t seq, bool on_its_way = true) {
  return store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
    return t.mark_on_its_way(held, seq, on_its_way);
  });
}

TEST_P(StoreSuite, WhoWasOnTheWayWhenANodeDiedIsUnknownAndTheRestGoesOn) {
  const Delivery sending = started(once(bulk(account().key)), recipients(3, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  must(mark(*store_, lease.held(), 1));
  const OfferedAgain offered = bury(me_);
  EXPECT_EQ(offered.unknown, 1);
  EXPECT_EQ(get(sending.key).counts.unknown, 1);
  const Story story = stories("user1@example.jp").at(0);
  EXPECT_EQ(story.state, RecipientState::unknown);
  ASSERT_THAT(story.attempts, SizeIs(1));
  EXPECT_EQ(story.attempts[0].outcome.cause, Cause::in_doubt);
  EXPECT_THAT(story.attempts[0].outcome.reply.text, HasSubstr("may have arrived"));
  const auto again = claim_all(sending.key, other_);
  ASSERT_THAT(again, SizeIs(1));
  ASSERT_THAT(again[0].recipients, SizeIs(2));
  EXPECT_EQ(again[0].recipients[0].seq, 0U);
  EXPECT_EQ(again[0].recipients[1].seq, 2U);
}

TEST_P(StoreSuite, AStoryKnowsWhatIsOnItsWay) {
  const Delivery sending = started(once(bulk(account().key)), recipients(2, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  const auto told = [&] { return stories("user1@example.jp").at(0); };
  EXPECT_TRUE(told().at_most_once);
  EXPECT_FALSE(told().on_its_way);
  must(mark(*store_, lease.held(), 1));
  EXPECT_TRUE(told().on_its_way);
  EXPECT_FALSE(stories("user0@example.jp").at(0).on_its_way);
  settle({outcome(lease.key, 1, RecipientState::delivered)});
  EXPECT_FALSE(told().on_its_way);
}

TEST_P(StoreSuite, TheLastOnTheWayEndsItsDelivery) {
  const Delivery sending = started(once(bulk(account().key)), recipients(1, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  must(mark(*store_, lease.held(), 0));
  EXPECT_EQ(bury(me_).unknown, 1);
  EXPECT_EQ(get(sending.key).status, DeliveryStatus::sent);
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.advance(kLifeTime);
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
}

TEST_P(StoreSuite, AnOutcomeAndAWithdrawalEndTheDoubt) {
  const Delivery sending = started(once(bulk(account().key)), recipients(3, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  for (const std::uint32_t seq : {0U, 1U, 2U}) must(mark(*store_, lease.held(), seq));
  settle({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(60))});
  must(mark(*store_, lease.held(), 2, false));
  EXPECT_EQ(bury(me_).unknown, 0);
  EXPECT_EQ(get(sending.key).counts.unknown, 0);
  EXPECT_EQ(get(sending.key).counts.delivered, 1);
  EXPECT_THAT(claim_all(sending.key, other_).at(0).recipients, SizeIs(1));
}

TEST_P(StoreSuite, ALeaseThatIsGivenBackInOrderLeavesTheSameDoubt) {
  const Delivery sending = started(once(bulk(account().key)), recipients(2, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  must(mark(*store_, lease.held(), 0));
  EXPECT_FALSE(must(release(lease)).done);
  EXPECT_EQ(stories("user0@example.jp").at(0).state, RecipientState::unknown);
  EXPECT_EQ(get(sending.key).counts.unknown, 1);
  const LeasedBatch next = claim_all(sending.key).at(0);
  ASSERT_THAT(next.recipients, SizeIs(1));
  must(mark(*store_, next.held(), 1));
  EXPECT_TRUE(must(release(next)).done);
  EXPECT_EQ(get(sending.key).status, DeliveryStatus::sent);
}

TEST_P(StoreSuite, WhatANodeHasForgottenLeavesTheSameDoubt) {
  const Delivery sending = started(once(bulk(account().key)), recipients(3, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  must(mark(*store_, lease.held(), 1));
  const OfferedAgain given =
      must(write([&](WriteTransaction& t) { return t.give_back(me_, std::vector{lease.held()}); }));
  EXPECT_EQ(given.batches, 1);
  EXPECT_EQ(given.unknown, 1);
  EXPECT_EQ(stories("user1@example.jp").at(0).state, RecipientState::unknown);
  EXPECT_THAT(claim_all(sending.key).at(0).recipients, SizeIs(2));
}

TEST_P(StoreSuite, OnlyTheHolderSaysWhatIsOnItsWay) {
  const Delivery sending = started(once(bulk(account().key)), recipients(2, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  EXPECT_EQ(bury(me_).unknown, 0);
  EXPECT_EQ(error_of(mark(*store_, lease.held(), 0)), "conflict");
  const LeasedBatch next = claim_all(sending.key, other_).at(0);
  EXPECT_THAT(next.recipients, SizeIs(2));
  EXPECT_EQ(error_of(mark(*store_, lease.held(), 0)), "conflict");
}

// Its holder was cut off and lives.
TEST_P(StoreSuite, WhatBecomesKnownLaterIsNews) {
  const Delivery sending = started(once(bulk(account().key)), recipients(3, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  for (const std::uint32_t seq : {0U, 1U, 2U}) must(mark(*store_, lease.held(), seq));
  EXPECT_EQ(bury(me_).unknown, 3);
  settle({outcome(lease.key, 0, RecipientState::delivered),
          outcome(lease.key, 1, RecipientState::bounced, 550, "5.1.1 no such user"),
          deferral(lease.key, 2, after(60))});
  EXPECT_EQ(stories("user0@example.jp").at(0).state, RecipientState::delivered);
  EXPECT_EQ(stories("user1@example.jp").at(0).state, RecipientState::bounced);
  EXPECT_EQ(stories("user2@example.jp").at(0).state, RecipientState::unknown);
  const DeliveryCounts counts = get(sending.key).counts;
  EXPECT_EQ(counts.delivered, 1);
  EXPECT_EQ(counts.bounced, 1);
  EXPECT_EQ(counts.unknown, 1);
  EXPECT_EQ(counts.terminal(), counts.total);
  clock_.advance(std::chrono::hours(1));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
}

TEST_P(StoreSuite, ATransactionIsNoDifferent) {
  Accept wanted = acceptance(account().key, recipients(2, "example.jp"));
  wanted.delivery.at_most_once = true;
  const Accepted accepted = must(store_->perform_and_wait(std::move(wanted)));
  ASSERT_THAT(accepted.batches, SizeIs(1));
  EXPECT_TRUE(accepted.delivery.at_most_once);
  must(mark(*store_, accepted.batches[0].held(), 0));
  EXPECT_EQ(bury(me_).unknown, 1);
  EXPECT_EQ(get(accepted.delivery.key).counts.unknown, 1);
  EXPECT_THAT(due_transactional(), SizeIs(1));
}

}  // namespace
}  // namespace todoku::store
