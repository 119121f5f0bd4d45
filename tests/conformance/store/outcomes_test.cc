// SPDX-License-Identifier: Apache-2.0
// Outcomes: facts about recipients, their counts and the stories made of them.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/random.h"
#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(StoreSuite, EveryStateIsCounted) {
  const Delivery sending = started(account().key, recipients(8, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  const auto recorded = record({
      outcome(lease.key, 0, RecipientState::delivered),
      outcome(lease.key, 1, RecipientState::bounced, 550, "5.1.1 No such user"),
      outcome(lease.key, 2, RecipientState::dropped, 0, "suppressed"),
      outcome(lease.key, 3, RecipientState::expired, 451, "4.7.1 later"),
      outcome(lease.key, 4, RecipientState::cancelled, 0, "withdrawn"),
      outcome(lease.key, 5, RecipientState::unknown, 0, "connection lost"),
      deferral(lease.key, 6, after(60)),
  });
  EXPECT_EQ(recorded.recorded, 7);
  EXPECT_THAT(recorded.finished, IsEmpty());
  const DeliveryCounts counts = get(sending.key).counts;
  EXPECT_EQ(counts.total, 8);
  EXPECT_EQ(counts.delivered, 1);
  EXPECT_EQ(counts.bounced, 1);
  EXPECT_EQ(counts.dropped, 1);
  EXPECT_EQ(counts.expired, 1);
  EXPECT_EQ(counts.cancelled, 1);
  EXPECT_EQ(counts.unknown, 1);
  EXPECT_EQ(counts.deferred, 1);
  EXPECT_EQ(counts.terminal(), 6);
  EXPECT_EQ(get(sending.key).status, DeliveryStatus::sending);

  clock_.advance(std::chrono::seconds(60));
  record({outcome(lease.key, 6, RecipientState::delivered)});
  EXPECT_EQ(get(sending.key).counts.deferred, 0);
  EXPECT_THAT(record({outcome(lease.key, 7, RecipientState::delivered)}).finished,
              ElementsAre(sending.key));
  EXPECT_EQ(get(sending.key).status, DeliveryStatus::sent);
  EXPECT_EQ(get(sending.key).finished, now());
}

TEST_P(StoreSuite, ASecondOutcomeChangesNothingButIsTold) {
  const auto accepted = accept(account().key, {recipient("one")});
  const BatchKey batch = accepted.batches[0].key;
  record({outcome(batch, 0, RecipientState::bounced, 550, "5.1.1 no")});
  const auto late = record({outcome(batch, 0, RecipientState::delivered)});
  EXPECT_EQ(late.recorded, 0);
  EXPECT_EQ(late.superseded, 1);
  EXPECT_THAT(late.finished, IsEmpty());
  EXPECT_EQ(record({deferral(batch, 0, after(9))}).superseded, 1);
  const auto told = stories("one@example.jp");
  EXPECT_EQ(told[0].state, RecipientState::bounced);
  EXPECT_EQ(told[0].due, std::nullopt);
  EXPECT_THAT(told[0].attempts, SizeIs(3));
  EXPECT_EQ(get(accepted.delivery.key).counts.bounced, 1);
  EXPECT_EQ(get(accepted.delivery.key).counts.delivered, 0);
}

TEST_P(StoreSuite, AStoryTellsThatTheCharsetFellBack) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const BatchKey batch = accepted.batches[0].key;
  auto fell_back = outcome(batch, 0, RecipientState::bounced, 550, "5.1.1 no");
  fell_back.outcome.charset_fell_back = true;
  record({fell_back, outcome(batch, 1, RecipientState::bounced, 550, "5.1.1 no")});
  const auto one = stories(recipient("one").address);
  const auto two = stories(recipient("two").address);
  ASSERT_THAT(one, SizeIs(1));
  ASSERT_THAT(two, SizeIs(1));
  EXPECT_TRUE(one[0].attempts.at(0).outcome.charset_fell_back);
  EXPECT_EQ(one[0].attempts.at(0).outcome.reply.code, 550);
  EXPECT_FALSE(two[0].attempts.at(0).outcome.charset_fell_back);
}

TEST_P(StoreSuite, AStoryTellsTheCause) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const BatchKey batch = accepted.batches[0].key;
  auto refused = outcome(batch, 0, RecipientState::bounced, 550, "5.1.1 no");
  refused.outcome.cause = Cause::mailbox;
  auto late = deferral(batch, 1, after(864'000));  // after its life: recorded as expired
  late.outcome.cause = Cause::out_of_time;
  record({refused, late});
  EXPECT_EQ(stories(recipient("one").address)[0].attempts.at(0).outcome.cause, Cause::mailbox);
  EXPECT_EQ(stories(recipient("two").address)[0].attempts.at(0).outcome.cause, Cause::out_of_time);
}

TEST_P(StoreSuite, ADeliveredRecipientMayBounceOnce) {
  const auto accepted = accept(account().key, {recipient("one")});
  const BatchKey batch = accepted.batches[0].key;
  EXPECT_THAT(record({outcome(batch, 0, RecipientState::delivered)}).finished, SizeIs(1));
  clock_.advance(std::chrono::hours(5));
  auto bounce = outcome(batch, 0, RecipientState::bounced, 550, "5.2.2 mailbox full");
  EXPECT_EQ(record({bounce}).superseded, 1) << "what another holder heard, too late";
  EXPECT_EQ(get(accepted.delivery.key).counts.delivered, 1);
  bounce.outcome.is_attempt = false;  // a bounce message
  EXPECT_EQ(record({bounce}).recorded, 1);
  EXPECT_EQ(record({bounce}).superseded, 1);
  EXPECT_EQ(record({outcome(batch, 0, RecipientState::delivered)}).superseded, 1);
  const Delivery delivery = get(accepted.delivery.key);
  EXPECT_EQ(delivery.status, DeliveryStatus::sent);
  EXPECT_EQ(delivery.counts.delivered, 0);
  EXPECT_EQ(delivery.counts.bounced, 1);
  EXPECT_EQ(stories("one@example.jp")[0].state, RecipientState::bounced);
}

TEST_P(StoreSuite, ADelayFurtherOnIsKeptInTheStoryAndChangesNothing) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const BatchKey batch = accepted.batches[0].key;
  record({outcome(batch, 0, RecipientState::delivered),
          outcome(batch, 1, RecipientState::bounced, 550, "5.1.1 unknown")});
  const auto before = get(accepted.delivery.key);
  const auto late = [&](std::uint32_t seq) {
    auto told = outcome(batch, seq, RecipientState::deferred, 451, "4.4.1 no route");
    told.outcome.stage = Stage::accepted;
    told.outcome.is_attempt = false;
    told.wait = {};
    told.if_taken = true;
    return told;
  };
  const std::vector outcomes{late(0), late(1)};
  const auto settled = store_->perform_and_wait(Settle{.outcomes = outcomes, .releases = {}});
  ASSERT_TRUE(settled && settled->outcomes[0]);
  EXPECT_TRUE(settled->outcomes[0]->superseded);
  EXPECT_EQ(settled->outcomes[0]->state, RecipientState::delivered);
  ASSERT_FALSE(settled->outcomes[1]) << "nobody had taken it";
  EXPECT_EQ(settled->outcomes[1].error().kind, ErrorKind::conflict);
  const Story told = stories("one@example.jp")[0];
  EXPECT_EQ(told.state, RecipientState::delivered);
  EXPECT_THAT(told.attempts, SizeIs(1));
  ASSERT_THAT(told.delays, SizeIs(1));
  EXPECT_EQ(told.delays[0].outcome.reply.text, "4.4.1 no route");
  EXPECT_THAT(stories("two@example.jp")[0].delays, IsEmpty());
  const auto after = get(accepted.delivery.key);
  EXPECT_EQ(after.counts.delivered, before.counts.delivered);
  EXPECT_EQ(after.counts.deferred, before.counts.deferred);
  EXPECT_EQ(after.counts.terminal(), before.counts.terminal());
}

TEST_P(StoreSuite, AMailThatCameBackIsRecordedOnceAndOnlyOfWhatWasTaken) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const BatchKey batch = accepted.batches[0].key;
  auto came_back = outcome(batch, 0, RecipientState::bounced, 550, "5.1.1 unknown");
  came_back.outcome.is_attempt = false;
  came_back.if_taken = true;
  const auto settle = [&](std::vector<OutcomeRecord> outcomes) {
    const auto settled = store_->perform_and_wait(Settle{.outcomes = outcomes, .releases = {}});
    EXPECT_TRUE(settled);
    return settled.value();
  };
  const auto early = settle({came_back});
  ASSERT_FALSE(early.outcomes[0]);
  EXPECT_EQ(early.outcomes[0].error().kind, ErrorKind::conflict) << "nobody has taken it yet";
  EXPECT_THAT(stories("one@example.jp")[0].attempts, IsEmpty());

  record({outcome(batch, 0, RecipientState::delivered),
          outcome(batch, 1, RecipientState::bounced, 550, "5.1.1 unknown")});
  const auto back = settle({came_back});
  ASSERT_TRUE(back.outcomes[0]);
  EXPECT_EQ(back.outcomes[0]->state, RecipientState::bounced);
  came_back.key.seq = 1;
  auto again = came_back;
  again.key.seq = 0;
  const auto late = settle({again, came_back});
  for (const auto& each : late.outcomes) {
    ASSERT_FALSE(each);
    EXPECT_EQ(each.error().kind, ErrorKind::conflict);
  }
  EXPECT_THAT(stories("one@example.jp")[0].attempts, SizeIs(2)) << "nothing was kept of the second";
  EXPECT_THAT(stories("two@example.jp")[0].attempts, SizeIs(1));
  EXPECT_EQ(get(accepted.delivery.key).counts.bounced, 2);
  EXPECT_EQ(get(accepted.delivery.key).counts.delivered, 0);
}

TEST_P(StoreSuite, TwoOutcomesOfOneRecipientInOneCallAreTakenInTheOrderGiven) {
  const auto accepted = accept(account().key, {recipient("one")});
  const BatchKey batch = accepted.batches[0].key;
  const auto recorded =
      record({deferral(batch, 0, after(60)), outcome(batch, 0, RecipientState::delivered)});
  EXPECT_EQ(recorded.recorded, 2);
  const auto told = stories("one@example.jp");
  EXPECT_EQ(told[0].state, RecipientState::delivered);
  ASSERT_THAT(told[0].attempts, SizeIs(2));
  EXPECT_EQ(told[0].attempts[0].outcome.state, RecipientState::deferred);
  EXPECT_EQ(get(accepted.delivery.key).counts.deferred, 0);
}

TEST_P(StoreSuite, AWrongOutcomeIsRefusedAndItsNeighboursAreRecorded) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const BatchKey batch = accepted.batches[0].key;
  auto wait_missing = deferral(batch, 1, after(1));
  wait_missing.wait.reset();
  auto wait_too_many = outcome(batch, 1, RecipientState::delivered);
  wait_too_many.wait = Milliseconds(0);
  for (const auto& wrong :
       {outcome(batch, 1, RecipientState::pending), wait_missing, wait_too_many}) {
    const auto settled = settle({wrong, outcome(batch, 0, RecipientState::delivered)});
    EXPECT_EQ(error_of(settled.outcomes[0]), "invalid_input");
    EXPECT_TRUE(settled.outcomes[1]);
  }
  EXPECT_EQ(get(accepted.delivery.key).counts.delivered, 1);
  EXPECT_EQ(get(accepted.delivery.key).counts.terminal(), 1);
}

TEST_P(StoreSuite, AnOutcomeHappenedWhenItWasKnownAndIsDueFromThen) {
  const auto accepted = accept(account().key, {recipient("one")});
  auto late = deferral(accepted.batches[0].key, 0, after(300));
  late.age = std::chrono::seconds(100);  // the disk was full for so long
  const auto settled = settle({late});
  ASSERT_TRUE(settled.outcomes[0]);
  EXPECT_EQ(settled.outcomes[0]->due, std::chrono::seconds(200));
  const auto told = stories("one@example.jp");
  EXPECT_EQ(told[0].due, after(200));
  EXPECT_EQ(told[0].attempts.at(0).at, after(-100) - late.duration);
}

TEST_P(StoreSuite, WhatWouldBeTriedAgainAfterItsLifeExpiresNow) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const BatchKey batch = accepted.batches[0].key;
  clock_.advance(std::chrono::hours(23));
  const auto settled = settle({deferral(batch, 0, after(3'600)), deferral(batch, 1, after(3'601))});
  EXPECT_EQ(settled.outcomes[0]->state, RecipientState::deferred);
  EXPECT_EQ(settled.outcomes[1]->state, RecipientState::expired);
  EXPECT_EQ(settled.outcomes[1]->due, std::nullopt);
  EXPECT_EQ(get(accepted.delivery.key).counts.expired, 1);
  EXPECT_EQ(stories("two@example.jp")[0].state, RecipientState::expired);
  EXPECT_EQ(stories("two@example.jp")[0].attempts.at(0).outcome.reply.code, 451) << "why, in words";
}

TEST_P(StoreSuite, OutcomesOfWhatIsNotThereAreIgnored) {
  const Account acme = account();
  const auto accepted = accept(acme.key, {recipient("one")});
  const BatchKey batch = accepted.batches[0].key;
  const auto nothing = [&](const Recorded& recorded) {
    EXPECT_EQ(recorded.recorded, 0);
    EXPECT_EQ(recorded.superseded, 0);
    EXPECT_THAT(recorded.finished, IsEmpty());
  };
  nothing(record({outcome(batch, 1, RecipientState::delivered)}));
  nothing(record({outcome({batch.delivery, 1}, 0, RecipientState::delivered)}));
  nothing(record({outcome({DeliveryKey{98'765}, 0}, 0, RecipientState::delivered)}));
  const Delivery made = draft(acme.key);
  append(made.key, recipients(1, "example.jp"));
  for (std::uint32_t n = 0; n < 3; ++n) {
    nothing(record({outcome({made.key, n}, 0, RecipientState::delivered)}));
  }
  must(write([&](WriteTransaction& t) { return t.delete_delivery(batch.delivery); }));
  nothing(record({outcome(batch, 0, RecipientState::delivered)}));
}

TEST_P(StoreSuite, OutcomesOfManyDeliveriesInAnyOrderAreCountedRight) {
  const std::uint64_t seed = 20'260'101;
  SCOPED_TRACE(fmt::format("seed {}", seed));
  SeededRandom random(seed);
  const Account acme = account();
  std::vector<OutcomeRecord> outcomes;
  std::vector<DeliveryKey> deliveries;
  for (int n = 0; n < 5; ++n) {
    const Delivery sending = started(acme.key, recipients(130, "example.jp"));
    deliveries.push_back(sending.key);
    for (const LeasedBatch& lease : claim_all(sending.key)) {
      for (const LeasedRecipient& to : lease.recipients) {
        outcomes.push_back(
            outcome(lease.key, to.seq,
                    random.below(2) == 0 ? RecipientState::delivered : RecipientState::bounced));
      }
    }
  }
  for (std::size_t i = outcomes.size() - 1; i > 0; --i) {
    std::swap(outcomes[i], outcomes[random.below(i + 1)]);
  }
  auto finished = record(outcomes).finished;
  std::ranges::sort(finished);
  EXPECT_EQ(finished, deliveries);
  for (const DeliveryKey key : deliveries) {
    const DeliveryCounts counts = get(key).counts;
    EXPECT_EQ(counts.delivered + counts.bounced, 130);
    EXPECT_EQ(counts.terminal(), counts.total);
  }
}

TEST_P(StoreSuite, RepliesAndPathsAreKeptAsTheyCame) {
  const Account acme = account();
  const auto accepted = accept(acme.key, recipients(20, "example.jp"));
  const BatchKey batch = accepted.batches[0].key;
  std::vector<OutcomeRecord> outcomes;
  for (std::uint32_t seq = 0; seq < 20; ++seq) {
    OutcomeRecord made = deferral(batch, seq, after(60));
    // Replies that repeat, that do not, that are empty or hold several lines and odd octets.
    if (seq % 4 == 0) made.outcome.reply.text = fmt::format("4.2.0 try later, id {}", seq);
    if (seq % 4 == 1) made.outcome.reply.text.clear();
    if (seq % 4 == 2) made.outcome.reply.text = "4.2.0 line one\nline two \x80\xff 届く";
    if (seq % 3 == 0) made.path = {};
    if (seq % 3 == 1) made.path.mx_host = fmt::format("mx{}.example.jp", seq);
    outcomes.push_back(made);
  }
  for (int round = 0; round < 3; ++round) record(outcomes);
  reopen();
  record(outcomes);
  for (std::uint32_t seq = 0; seq < 20; ++seq) {
    const Story told =
        must(read([&](ReadTransaction& t) { return t.story({batch.delivery, batch.batch, seq}); }));
    ASSERT_THAT(told.attempts, SizeIs(4));
    for (const Attempt& attempt : told.attempts) {
      EXPECT_EQ(attempt.outcome.reply, outcomes[seq].outcome.reply);
      EXPECT_EQ(attempt.path, outcomes[seq].path);
      EXPECT_EQ(attempt.at, now() - outcomes[seq].duration);
    }
  }
}

TEST_P(StoreSuite, AVeryLongReplyIsCutAtACharacter) {
  const auto accepted = accept(account().key, {recipient("one")});
  std::string text = "x";
  for (int i = 0; i < 5'000; ++i) text += "届";
  auto made = deferral(accepted.batches[0].key, 0, after(60));
  made.outcome.reply.text = text;
  record({made});
  const std::string kept = stories("one@example.jp")[0].attempts[0].outcome.reply.text;
  EXPECT_GE(kept.size(), 500U);
  EXPECT_LT(kept.size(), text.size());
  EXPECT_TRUE(text.starts_with(kept));
  EXPECT_EQ((kept.size() - 1) % 3, 0U) << "a character is cut through";
}

}  // namespace
}  // namespace todoku::store
