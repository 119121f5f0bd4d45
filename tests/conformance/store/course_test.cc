// SPDX-License-Identifier: Apache-2.0
// Deliveries that are paused or stopped while they go out (store/course.h).
#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/settling.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What is asked of a store, and done with it, about courses.
class Helm {
 public:
  explicit Helm(Store& store) : store_(store) {}

  Result<bool> steer(DeliveryKey key, Course course) {
    return store_.write_and_wait(
        WritePriority::accept, [&](WriteTransaction& t) { return t.steer_delivery(key, course); });
  }
  std::vector<DeliveryKey> held() {
    return must(store_.read_and_wait([](ReadTransaction& t) { return t.held_deliveries(10); }));
  }
  std::vector<DeliveryKey> sending() {
    std::vector<DeliveryKey> keys;
    for (const auto& each :
         must(store_.read_and_wait([](ReadTransaction& t) { return t.sending_bulk(); }))) {
      keys.push_back(each.key);
    }
    return keys;
  }
  StoppedWork work(std::int64_t recipients = 1'000, DeliveryKey after = {}) {
    return must(store_.read_and_wait(
        [&](ReadTransaction& t) { return t.stopped_work(after, recipients); }));
  }
  // As housekeeping does it, until nothing is left; how many were written.
  std::size_t write_stopped(std::int64_t at_once = 1'000) {
    std::size_t written = 0;
    DeliveryKey after{};
    while (true) {
      const StoppedWork left = work(at_once, after);
      after = left.next.value_or(DeliveryKey{});
      std::vector<OutcomeRecord> records;
      for (const StoppedRecipient& each : left.open) records.push_back(stopped_record(each));
      const auto settled = must(store_.perform_and_wait(Settle{.outcomes = records}));
      for (const auto& recorded : settled.outcomes) EXPECT_TRUE(recorded);
      written += records.size();
      for (const DeliveryKey key : left.over) {
        must(store_.write_and_wait(WritePriority::retention,
                                   [&](WriteTransaction& t) { return t.end_stopped(key); }));
      }
      if (records.empty() && !left.next) return written;
    }
  }
  // Its holder says that mails to these are about to be begun.
  Result<void> begin(const HeldBatch& held, std::initializer_list<std::uint32_t> seqs) {
    BegunMark mark{.held = held};
    for (const std::uint32_t seq : seqs) mark.begun |= begun_bit(seq);
    const std::vector marks{mark};
    return must(store_.perform_and_wait(Settle{.outcomes = {}, .releases = {}, .marks = marks}))
        .marks.at(0);
  }
  std::vector<std::pair<EventKind, std::int64_t>> told(AccountKey account) {
    const auto page = must(store_.read_and_wait([&](ReadTransaction& t) {
      return t.events({.account = account, .after = {}, .limit = 1'000});
    }));
    std::vector<std::pair<EventKind, std::int64_t>> kinds;
    for (const EventRecord& event : page.events) {
      kinds.emplace_back(event.entry.kind, event.entry.recipients);
    }
    return kinds;
  }
  void expect_counts(DeliveryKey key, std::int64_t delivered, std::int64_t cancelled) {
    const auto delivery =
        must(store_.read_and_wait([&](ReadTransaction& t) { return t.delivery_head(key); }));
    const DeliveryCounts& counts = delivery.counts;
    EXPECT_EQ(counts.delivered, delivered);
    EXPECT_EQ(counts.cancelled, cancelled);
  }

 private:
  Store& store_;
};

TEST_P(StoreSuite, NothingOfWhatIsPausedIsLeased) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(1'200, "example.jp"));
  const Delivery other = started(acme.key, recipients(3, "example.com"));
  const std::vector<BatchKey> keys = due_keys(bulky.key);
  const LeasedBatch in_hand = claim(me_, {keys.at(0)}).at(0);
  EXPECT_TRUE(must(helm.steer(bulky.key, Course::paused)));
  EXPECT_FALSE(must(helm.steer(bulky.key, Course::paused))) << "it is paused already";
  EXPECT_EQ(get(bulky.key).status, DeliveryStatus::sending);
  EXPECT_EQ(get(bulky.key).course, Course::paused);
  EXPECT_THAT(helm.held(), ElementsAre(bulky.key));
  EXPECT_THAT(helm.sending(), ElementsAre(other.key));
  EXPECT_THAT(claim(me_, keys), IsEmpty()) << "bells that were rung before";
  EXPECT_TRUE(stories("user0@example.jp").at(0).delivery_paused);
  EXPECT_FALSE(stories("user0@example.com").at(0).delivery_paused);
  settle({outcome(in_hand.key, 0, RecipientState::delivered)}, {{.held = in_hand.held()}});
  helm.expect_counts(bulky.key, 1, 0);
  EXPECT_THAT(claim(me_, keys), IsEmpty());

  EXPECT_TRUE(must(helm.steer(bulky.key, Course::goes)));
  EXPECT_FALSE(must(helm.steer(bulky.key, Course::goes)));
  EXPECT_THAT(helm.held(), IsEmpty());
  EXPECT_THAT(helm.sending(), ElementsAre(bulky.key, other.key));
  EXPECT_THAT(claim(me_, keys), SizeIs(keys.size()));
  using enum EventKind;
  EXPECT_THAT(helm.told(acme.key),
              ElementsAre(std::pair(delivery_started, 1'200), std::pair(delivery_started, 3),
                          std::pair(delivery_paused, 1'200), std::pair(sent, 0),
                          std::pair(delivery_resumed, 1'199)));
}

TEST_P(StoreSuite, WhatIsPausedIsGivenUpWhenItsLifeIsOver) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(3, "example.jp"));
  must(helm.steer(bulky.key, Course::paused));
  clock_.advance(kLifeTime + 1s);
  EXPECT_THAT(helm.sending(), ElementsAre(bulky.key));
  const auto leased = claim_all(bulky.key);
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_LT(leased[0].expires_in, 0ms);
}

TEST_P(StoreSuite, AListTellsWhatWasStoppedFromWhatWasNot) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery goes = started(acme.key, recipients(1, "example.jp"));
  const Delivery paused = started(acme.key, recipients(1, "example.jp"));
  const Delivery stopped = started(acme.key, recipients(1, "example.jp"));
  must(helm.steer(paused.key, Course::paused));
  must(helm.steer(stopped.key, Course::stopped));
  const auto listed = [&](std::optional<bool> wanted) {
    std::set<DeliveryKey> keys;
    for (const Delivery& each : deliveries_of(*store_, {.account = acme.key, .stopped = wanted})) {
      keys.insert(each.key);
    }
    return keys;
  };
  const auto expect = [&] {
    EXPECT_EQ(listed(true), (std::set{stopped.key}));
    EXPECT_EQ(listed(false), (std::set{goes.key, paused.key}));
    EXPECT_EQ(listed(std::nullopt), (std::set{goes.key, paused.key, stopped.key}));
  };
  expect();
  clock_.advance(5s);
  helm.write_stopped();
  EXPECT_EQ(get(stopped.key).course, Course::ended);
  expect();
}

TEST_P(StoreSuite, WhatIsInHandKeepsNoOtherStopFromBeingWritten) {
  const Account acme = account();
  Helm helm(*store_);
  for (std::int64_t i = 0; i <= kStoppedLookedAt; ++i) {
    const Delivery bulky = started(acme.key, recipients(1, "example.jp"));
    ASSERT_THAT(claim_all(bulky.key), SizeIs(1));
    must(helm.steer(bulky.key, Course::stopped));
  }
  const Delivery last = started(acme.key, recipients(3, "example.jp"));
  must(helm.steer(last.key, Course::stopped));
  EXPECT_EQ(helm.write_stopped(), 3U);
  EXPECT_EQ(get(last.key).course, Course::ended);
}

TEST_P(StoreSuite, OfManyStopsEachIsWrittenInTurn) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery large = started(acme.key, recipients(3'000, "example.jp"));
  const Delivery small = started(acme.key, recipients(3, "example.jp"));
  must(helm.steer(large.key, Course::stopped));
  must(helm.steer(small.key, Course::stopped));
  const StoppedWork first = helm.work(1'000);
  EXPECT_EQ(first.open.front().key.delivery, large.key);
  ASSERT_TRUE(first.next);
  const StoppedWork second = helm.work(1'000, *first.next);
  EXPECT_THAT(second.open, SizeIs(3));
  EXPECT_FALSE(second.next);
}

TEST_P(StoreSuite, APauseOutlivesTheEnd) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(1, "example.jp"));
  const LeasedBatch in_hand = claim_all(bulky.key).at(0);
  must(helm.steer(bulky.key, Course::paused));
  settle({outcome(in_hand.key, 0, RecipientState::delivered)});
  EXPECT_EQ(get(bulky.key).status, DeliveryStatus::sent);
  EXPECT_THAT(helm.held(), IsEmpty()) << "there is nothing to hold back";
  for (const Course course : {Course::goes, Course::paused, Course::stopped}) {
    EXPECT_EQ(error_of(helm.steer(bulky.key, course)), "conflict");
  }
}

TEST_P(StoreSuite, AStopIsOneRowAndReadersSeeItAtOnce) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(1'200, "example.jp"));
  const std::vector<BatchKey> keys = due_keys(bulky.key);
  const LeasedBatch early = claim(me_, {keys.at(0)}).at(0);
  settle({outcome(early.key, 0, RecipientState::delivered), deferral(early.key, 1, after(60))},
         {{.held = early.held()}});
  EXPECT_EQ(get(bulky.key).counts.deferred, 1);
  EXPECT_TRUE(must(helm.steer(bulky.key, Course::stopped)));
  EXPECT_FALSE(must(helm.steer(bulky.key, Course::stopped)));
  const Delivery stopped = get(bulky.key);
  EXPECT_EQ(stopped.status, DeliveryStatus::sent);
  EXPECT_EQ(stopped.finished, now());
  EXPECT_EQ(stopped.counts.deferred, 0);
  helm.expect_counts(bulky.key, 1, 1'199);
  EXPECT_EQ(stories("user0@example.jp").at(0).state, RecipientState::delivered);
  EXPECT_EQ(stories("user1@example.jp").at(0).state, RecipientState::cancelled) << "was deferred";
  EXPECT_EQ(stories("user900@example.jp").at(0).state, RecipientState::cancelled);
  EXPECT_THAT(helm.sending(), IsEmpty());
  EXPECT_THAT(claim(me_, keys), IsEmpty());
  EXPECT_THAT(helm.held(), ElementsAre(bulky.key));

  clock_.advance(5s);
  EXPECT_EQ(helm.write_stopped(300), 1'199U);
  EXPECT_EQ(get(bulky.key).course, Course::ended);
  EXPECT_EQ(get(bulky.key).finished, stopped.finished);
  EXPECT_THAT(helm.held(), IsEmpty());
  helm.expect_counts(bulky.key, 1, 1'199);
  const Story written = stories("user900@example.jp").at(0);
  EXPECT_EQ(written.state, RecipientState::cancelled);
  ASSERT_THAT(written.attempts, SizeIs(1));
  EXPECT_FALSE(written.attempts[0].outcome.is_attempt);
  EXPECT_EQ(stories("user1@example.jp").at(0).state, RecipientState::cancelled);
  EXPECT_EQ(helm.write_stopped(), 0U);
  using enum EventKind;
  EXPECT_THAT(
      helm.told(acme.key),
      ElementsAre(std::pair(delivery_started, 1'200), std::pair(sent, 0), std::pair(deferred, 0),
                  std::pair(delivery_stopped, 1'199), std::pair(delivery_finished, 1'200)))
      << "not one for each";
}

TEST_P(StoreSuite, WhatIsInHandAtAStopCountsAsWhatBecomesOfIt) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(5, "example.jp"));
  const LeasedBatch in_hand = claim_all(bulky.key).at(0);
  must(helm.steer(bulky.key, Course::stopped));
  helm.expect_counts(bulky.key, 0, 5);
  EXPECT_EQ(stories("user0@example.jp").at(0).state, RecipientState::pending) << "who knows";
  EXPECT_THAT(helm.work().open, IsEmpty()) << "somebody has them in hand";
  EXPECT_THAT(helm.work().over, IsEmpty());
  const auto settled = settle({outcome(in_hand.key, 0, RecipientState::delivered),
                               outcome(in_hand.key, 1, RecipientState::bounced, 550, "5.1.1 no"),
                               deferral(in_hand.key, 2, after(60))});
  EXPECT_EQ(settled.outcomes.at(2)->state, RecipientState::cancelled) << "it is not tried again";
  EXPECT_EQ(settled.outcomes.at(2)->due, std::nullopt);
  helm.expect_counts(bulky.key, 1, 3);
  EXPECT_EQ(get(bulky.key).counts.bounced, 1);
  EXPECT_EQ(get(bulky.key).counts.deferred, 0);
  EXPECT_THAT(helm.work().open, IsEmpty());
  must(release(in_hand));
  EXPECT_EQ(helm.write_stopped(), 2U);
  const DeliveryCounts counts = get(bulky.key).counts;
  EXPECT_EQ(counts.terminal(), counts.total);
  helm.expect_counts(bulky.key, 1, 3);
  EXPECT_EQ(get(bulky.key).course, Course::ended);
  // A bounce message after all changes what it was.
  OutcomeRecord message = outcome(in_hand.key, 0, RecipientState::bounced, 550, "5.1.1 no");
  message.outcome.is_attempt = false;
  settle({message});
  helm.expect_counts(bulky.key, 0, 3);
  EXPECT_EQ(get(bulky.key).counts.bounced, 2);
}

// Of whom it said that they are about to be begun any may have it; nobody else has, nor has who was
// put off until later.
TEST_P(StoreSuite, OfWhatADeadNodeHeldOnlyWhatWasBegunMayHaveGoneOut) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(500, "example.jp"));
  const NodeKey dead = enter("dead");
  const auto in_hand = claim_all(bulky.key, dead);
  ASSERT_THAT(in_hand, SizeIs(1));
  must(helm.begin(in_hand[0].held(), {0}));
  must(helm.begin(in_hand[0].held(), {17, 499}));
  settle({outcome(in_hand[0].key, 0, RecipientState::delivered),
          deferral(in_hand[0].key, 5, after(3600))});
  must(helm.steer(bulky.key, Course::stopped));
  EXPECT_EQ(helm.write_stopped(), 0U);
  EXPECT_EQ(get(bulky.key).course, Course::stopped);
  bury(dead);
  EXPECT_EQ(helm.write_stopped(), 499U);
  EXPECT_EQ(get(bulky.key).course, Course::ended);
  const std::int64_t begun = 8 + 8 + 4;
  EXPECT_EQ(get(bulky.key).counts.unknown, begun - 2);
  helm.expect_counts(bulky.key, 1, 500 - begun + 1);
  const Story story = stories("user2@example.jp").at(0);
  EXPECT_EQ(story.state, RecipientState::unknown);
  ASSERT_THAT(story.attempts, SizeIs(1));
  EXPECT_THAT(story.attempts[0].outcome.reply.text, HasSubstr("delivery was stopped"));
  EXPECT_FALSE(story.attempts[0].outcome.is_attempt) << "nobody knows of one";
  for (const int seq : {16, 23, 496, 499}) {
    EXPECT_EQ(stories(fmt::format("user{}@example.jp", seq)).at(0).state, RecipientState::unknown)
        << seq;
  }
  for (const int seq : {5, 8, 15, 24, 495}) {
    EXPECT_EQ(stories(fmt::format("user{}@example.jp", seq)).at(0).state, RecipientState::cancelled)
        << seq;
  }
}

// It is waited for a while, and then what it says changes no counts that were told to be final.
TEST_P(StoreSuite, WhoWasDeclaredDeadMayTellWhatBecameOfItsMailsUntilTheStopHasEnded) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(6, "example.jp"));
  const NodeKey frozen = enter("frozen");
  const auto in_hand = claim_all(bulky.key, frozen);
  ASSERT_THAT(in_hand, SizeIs(1));
  must(helm.begin(in_hand[0].held(), {0}));
  must(helm.steer(bulky.key, Course::stopped));
  clock_.advance(kNodeLease + 1s);
  EXPECT_TRUE(must(write([&](WriteTransaction& t) { return t.void_node(frozen); })));
  must(write([&](WriteTransaction& t) { return t.offer_again(frozen, 100); }));
  EXPECT_EQ(helm.write_stopped(), 0U);
  EXPECT_EQ(get(bulky.key).course, Course::stopped) << "it may have something to tell";
  auto told = settle({outcome(in_hand[0].key, 0, RecipientState::delivered),
                      deferral(in_hand[0].key, 1, after(60))});
  EXPECT_FALSE(told.outcomes.at(0)->superseded);
  EXPECT_EQ(told.outcomes.at(1)->state, RecipientState::cancelled) << "it is not tried again";
  helm.expect_counts(bulky.key, 1, 5);

  clock_.advance(kLateWords);
  EXPECT_EQ(helm.write_stopped(), 4U);
  EXPECT_EQ(get(bulky.key).course, Course::ended);
  const DeliveryCounts ended = get(bulky.key).counts;
  EXPECT_EQ(ended.unknown, 4);
  helm.expect_counts(bulky.key, 1, 1);
  told = settle({outcome(in_hand[0].key, 1, RecipientState::delivered),
                 outcome(in_hand[0].key, 2, RecipientState::delivered),
                 outcome(in_hand[0].key, 3, RecipientState::bounced, 550, "5.1.1 no")});
  for (const auto& late : told.outcomes) EXPECT_TRUE(late->superseded);
  EXPECT_EQ(get(bulky.key).counts.unknown, ended.unknown);
  EXPECT_EQ(get(bulky.key).counts.bounced, 0);
  helm.expect_counts(bulky.key, 1, 1);
  EXPECT_THAT(stories("user2@example.jp").at(0).attempts, SizeIs(2)) << "it is kept all the same";
  using enum EventKind;
  EXPECT_THAT(helm.told(acme.key), Contains(std::pair(sent, 0)).Times(1));
}

// A transaction has few recipients: all of it that is in hand counts as begun.
TEST_P(StoreSuite, OfAStoppedTransactionWhatADeadNodeHeldMayHaveGoneOut) {
  const Account acme = account();
  Helm helm(*store_);
  const auto accepted = accept(acme.key, {recipient("one"), recipient("two")});
  must(helm.steer(accepted.delivery.key, Course::stopped));
  bury(me_);
  EXPECT_EQ(helm.write_stopped(), 2U);
  EXPECT_EQ(get(accepted.delivery.key).counts.unknown, 2);
}

// Whatever became of the batch since: others had it in hand, and told outcomes of it.
TEST_P(StoreSuite, WhatADeadNodeHadBegunStaysInDoubtUntilSomebodyTellsWhatBecameOfIt) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(20, "example.jp"));
  const NodeKey dead = enter("dead");
  const LeasedBatch lost = claim_all(bulky.key, dead).at(0);
  must(helm.begin(lost.held(), {0}));
  bury(dead);
  const LeasedBatch next = claim_all(bulky.key).at(0);
  EXPECT_EQ(error_of(helm.begin(lost.held(), {8})), "conflict") << "it is another's now";
  must(helm.begin(next.held(), {8, 16}));
  clock_.advance(1s);
  settle({outcome(next.key, 1, RecipientState::delivered), deferral(next.key, 2, after(3600)),
          outcome(next.key, 9, RecipientState::delivered)},
         {{.held = next.held()}});
  must(helm.steer(bulky.key, Course::stopped));
  EXPECT_EQ(helm.write_stopped(), 18U);
  EXPECT_EQ(get(bulky.key).counts.unknown, 6) << "0 and 3 to 7";
  helm.expect_counts(bulky.key, 2, 12);
  EXPECT_EQ(stories("user0@example.jp").at(0).state, RecipientState::unknown);
  EXPECT_EQ(stories("user2@example.jp").at(0).state, RecipientState::cancelled);
  EXPECT_EQ(stories("user8@example.jp").at(0).state, RecipientState::cancelled)
      << "who had it last gave it back in order";
}

// Several processes write what a stop has reached.
TEST_P(StoreSuite, WhatAStopHasReachedIsWrittenOnce) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(2, "example.jp"));
  const NodeKey dead = enter("dead");
  must(helm.begin(claim_all(bulky.key, dead).at(0).held(), {0}));
  bury(dead);
  must(helm.steer(bulky.key, Course::stopped));
  const StoppedWork left = helm.work();
  ASSERT_THAT(left.open, SizeIs(2));
  std::vector<OutcomeRecord> records;
  for (const StoppedRecipient& each : left.open) records.push_back(stopped_record(each));
  for (const bool first : {true, false}) {
    const auto settled = must(store_->perform_and_wait(Settle{.outcomes = records}));
    for (const auto& recorded : settled.outcomes) {
      EXPECT_EQ(error_of(recorded), first ? "none" : "conflict");
    }
  }
  EXPECT_THAT(stories("user0@example.jp").at(0).attempts, SizeIs(1));
  EXPECT_EQ(get(bulky.key).counts.unknown, 2);
}

// Who was on the way is known of it, and nobody else was.
TEST_P(StoreSuite, AStopTellsOfNoDoubtWhereItIsKnownWhoWasOnTheWay) {
  const Account acme = account();
  Helm helm(*store_);
  NewDelivery once = bulk(acme.key);
  once.at_most_once = true;
  const Delivery bulky = started(once, recipients(3, "example.jp"));
  const NodeKey dead = enter("dead");
  const LeasedBatch lease = claim_all(bulky.key, dead).at(0);
  must(write([&](WriteTransaction& t) { return t.mark_on_its_way(lease.held(), 1, true); }));
  must(helm.steer(bulky.key, Course::stopped));
  bury(dead);
  EXPECT_EQ(helm.write_stopped(), 2U);
  EXPECT_EQ(get(bulky.key).counts.unknown, 1);
  helm.expect_counts(bulky.key, 0, 2);
}

TEST_P(StoreSuite, WhatWasGivenBackInOrderIsCancelledByAStop) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(3, "example.jp"));
  const NodeKey leaving = enter("leaving");
  ASSERT_THAT(claim_all(bulky.key, leaving), SizeIs(1));
  must(helm.steer(bulky.key, Course::stopped));
  must(write([&](WriteTransaction& t) { return t.leave_node(leaving); }));
  must(write([&](WriteTransaction& t) { return t.offer_again(leaving, 100); }));
  EXPECT_EQ(helm.write_stopped(), 3U);
  helm.expect_counts(bulky.key, 0, 3);
}

TEST_P(StoreSuite, ATransactionIsStoppedButNotPaused) {
  const Account acme = account();
  Helm helm(*store_);
  const auto accepted = accept(acme.key, {recipient("one"), recipient("two")});
  const LeasedBatch& batch = accepted.batches.at(0);
  const DeliveryKey key = accepted.delivery.key;
  EXPECT_EQ(error_of(helm.steer(key, Course::paused)), "conflict");
  settle({outcome(batch.key, 0, RecipientState::delivered), deferral(batch.key, 1, after(60))},
         {{.held = batch.held()}});
  const auto waiting = [&] {
    return must(read([](ReadTransaction& t) { return t.queue_figures(); })).at(0).waiting;
  };
  EXPECT_EQ(waiting(), 1);
  EXPECT_TRUE(must(helm.steer(key, Course::stopped)));
  clock_.advance(61s);
  EXPECT_THAT(claim(me_, {batch.key}), IsEmpty());
  EXPECT_EQ(helm.write_stopped(), 1U);
  EXPECT_EQ(waiting(), 0);
  EXPECT_THAT(due_transactional(), IsEmpty());
  helm.expect_counts(key, 1, 1);
  EXPECT_EQ(get(key).course, Course::ended);
}

TEST_P(StoreSuite, OnlyWhatGoesOutIsSteered) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery made = draft(acme.key);
  for (const Course course : {Course::goes, Course::paused, Course::stopped}) {
    EXPECT_EQ(error_of(helm.steer(made.key, course)), "conflict");
  }
  append(made.key, recipients(1, "example.jp"));
  must(write([&](WriteTransaction& t) { return t.commit_draft(made.key, after(60), {}); }));
  EXPECT_EQ(error_of(helm.steer(made.key, Course::stopped)), "conflict");
  EXPECT_EQ(error_of(helm.steer(DeliveryKey{987'654}, Course::stopped)), "not_found");
}

TEST_P(StoreSuite, WhatWasStoppedAndDeletedIsNotWritten) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(5, "example.jp"));
  must(helm.steer(bulky.key, Course::stopped));
  must(write([&](WriteTransaction& t) { return t.delete_delivery(bulky.key); }));
  EXPECT_THAT(helm.held(), IsEmpty());
  EXPECT_EQ(helm.write_stopped(), 0U);
}

// Whoever writes what was stopped may have looked before a claim committed.
TEST_P(StoreSuite, OfWhatIsInHandNothingIsWrittenAsStopped) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery bulky = started(acme.key, recipients(1, "example.jp"));
  const LeasedBatch in_hand = claim_all(bulky.key).at(0);
  must(helm.steer(bulky.key, Course::stopped));
  const std::vector records{stopped_record({.key = {bulky.key, in_hand.key.batch, 0}})};
  const auto settled = must(store_->perform_and_wait(Settle{.outcomes = records, .releases = {}}));
  EXPECT_EQ(error_of(settled.outcomes.at(0)), "conflict");
  settle({outcome(in_hand.key, 0, RecipientState::delivered)});
  helm.expect_counts(bulky.key, 1, 0);
}

// The scheduler has read it as due, and it is moved before it is started.
TEST_P(StoreSuite, WhatWasMovedToALaterTimeDoesNotStart) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, recipients(1, "example.jp"));
  must(write([&](WriteTransaction& t) { return t.commit_draft(made.key, after(60), {}); }));
  must(write([&](WriteTransaction& t) { return t.move_reservation(made.key, after(3'600), {}); }));
  clock_.advance(61s);
  const auto start = [&] {
    return write([&](WriteTransaction& t) { return t.start_delivery(made.key, "", kLifeTime); });
  };
  EXPECT_EQ(error_of(start()), "conflict");
  clock_.advance(3'600s);
  must(start());
}

TEST_P(StoreSuite, ACourseIsKeptAcrossARestart) {
  const Account acme = account();
  Helm helm(*store_);
  const Delivery paused = started(acme.key, recipients(5, "example.jp"));
  const Delivery stopped = started(acme.key, recipients(5, "example.com"));
  must(helm.steer(paused.key, Course::paused));
  must(helm.steer(stopped.key, Course::stopped));
  reopen();
  Helm again(*store_);
  EXPECT_THAT(again.held(), ElementsAre(stopped.key, paused.key));
  EXPECT_EQ(again.write_stopped(), 5U);
  EXPECT_THAT(again.held(), ElementsAre(paused.key));
}

}  // namespace
}  // namespace todoku::store
