// SPDX-License-Identifier: Apache-2.0
// Leases: who may work on a batch, for how long, and what becomes of it afterwards.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::uint32_t> seqs(const LeasedBatch& lease) {
  std::vector<std::uint32_t> all;
  for (const LeasedRecipient& to : lease.recipients) all.push_back(to.seq);
  return all;
}

TEST_P(StoreSuite, ALeaseThatRunsOutIsOfferedAgainAndItsTokenIsFenced) {
  const Delivery sending = started(account().key, recipients(3, "example.jp"));
  const auto first = claim_all(sending.key, kMe, 60);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].lease_until, after(60));
  clock_.advance(std::chrono::seconds(59));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(due_keys(sending.key), ElementsAre(first[0].key));

  const auto second = claim_all(sending.key, kOther, 60);
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_GT(second[0].token, first[0].token);
  EXPECT_THAT(second[0].recipients, SizeIs(3));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.extend_lease(first[0].key, first[0].token, after(600));
            })),
            "conflict");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.release_batch(first[0].key, first[0].token, now(), now());
            })),
            "conflict");
  // What the first holder found out is a fact all the same.
  EXPECT_EQ(record({outcome(first[0].key, 0, RecipientState::delivered)}).recorded, 1);
  EXPECT_EQ(get(sending.key).counts.delivered, 1);
}

TEST_P(StoreSuite, ALeaseThatRanOutButWasNotTakenCanStillBeUsed) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto lease = claim_all(sending.key, kMe, 60);
  clock_.advance(std::chrono::seconds(61));
  must(write([&](WriteTransaction& t) {
    return t.extend_lease(lease[0].key, lease[0].token, after(60));
  }));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.advance(std::chrono::seconds(59));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(due_keys(sending.key), SizeIs(1));
}

TEST_P(StoreSuite, AReleasedBatchIsDueWhenItsFirstRecipientIs) {
  const Delivery sending = started(account().key, recipients(4, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  record({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(900)),
          deferral(lease.key, 2, after(300)), outcome(lease.key, 3, RecipientState::bounced)});
  const auto released = must(write(
      [&](WriteTransaction& t) { return t.release_batch(lease.key, lease.token, now(), now()); }));
  EXPECT_FALSE(released.done);
  EXPECT_EQ(released.next, after(300));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  EXPECT_EQ(upcoming(sending.key), after(300));

  clock_.advance(std::chrono::seconds(300));
  const auto again = claim_all(sending.key);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_THAT(seqs(again[0]), ElementsAre(2)) << "only who is due is handed out";
  EXPECT_EQ(again[0].recipients[0].attempts, 1);
  record({outcome(lease.key, 2, RecipientState::delivered)});
  const auto later = must(write([&](WriteTransaction& t) {
    return t.release_batch(again[0].key, again[0].token, now(), now());
  }));
  EXPECT_EQ(later.next, after(600));
}

TEST_P(StoreSuite, AReleasedBatchWithUntriedRecipientsIsDueAtOnceOrWhenParkingEnds) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  auto lease = claim_all(sending.key)[0];
  record({deferral(lease.key, 0, after(900))});
  auto released = must(write(
      [&](WriteTransaction& t) { return t.release_batch(lease.key, lease.token, now(), now()); }));
  EXPECT_EQ(released.next, now());
  lease = claim_all(sending.key)[0];
  EXPECT_THAT(seqs(lease), ElementsAre(1));
  released = must(write([&](WriteTransaction& t) {
    return t.release_batch(lease.key, lease.token, after(30), now());
  }));
  EXPECT_EQ(released.next, after(30));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.advance(std::chrono::seconds(30));
  EXPECT_THAT(due_keys(sending.key), SizeIs(1));
}

TEST_P(StoreSuite, AReleasedLeaseIsOver) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  const auto release = [&] {
    return write(
        [&](WriteTransaction& t) { return t.release_batch(lease.key, lease.token, now(), now()); });
  };
  must(release());
  EXPECT_EQ(error_of(release()), "conflict");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.extend_lease(lease.key, lease.token, after(60));
            })),
            "conflict");
  BatchKey unknown = lease.key;
  unknown.batch += 77;
  EXPECT_EQ(error_of(write(
                [&](WriteTransaction& t) { return t.release_batch(unknown, 1, now(), now()); })),
            "not_found");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.extend_lease(unknown, 1, now()); })),
            "not_found");
}

TEST_P(StoreSuite, WhatOneHasAnotherCannotClaim) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto keys = due_keys(sending.key);
  const auto claim = [&](Holder holder) {
    return must(write(
        [&](WriteTransaction& t) { return t.claim_batches(keys, holder, after(60), now()); }));
  };
  EXPECT_THAT(claim(kMe), SizeIs(1));
  EXPECT_THAT(claim(kOther), IsEmpty());
  EXPECT_THAT(claim(kMe), IsEmpty()) << "nor its holder twice";
}

TEST_P(StoreSuite, UnknownOrUnstartedBatchesAreNotClaimed) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, recipients(2, "example.jp"));
  std::vector<BatchKey> keys;
  for (std::uint32_t batch = 0; batch < 5; ++batch) keys.push_back({made.key, batch});
  keys.push_back({DeliveryKey{98'765}, 0});
  EXPECT_THAT(must(write([&](WriteTransaction& t) {
                return t.claim_batches(keys, kMe, after(60), now());
              })),
              IsEmpty());
}

TEST_P(StoreSuite, LeasesOfAnEarlierRunAreVoidAtStart) {
  const Account acme = account();
  const auto accepted = accept(acme.key, {recipient("one")});
  const Delivery sending = started(acme.key, recipients(2, "example.jp"));
  const auto old = claim_all(sending.key, kMe, 3'600);
  reopen();
  const auto release = [&] {
    return must(
        write([&](WriteTransaction& t) { return t.release_leases_of_others(kOther, now(), 1); }));
  };
  EXPECT_EQ(release(), 1) << "as many as were asked for";
  EXPECT_EQ(release(), 1);
  EXPECT_EQ(release(), 0);
  EXPECT_THAT(due_transactional(), SizeIs(1));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.extend_lease(old[0].key, old[0].token, after(60));
            })),
            "conflict")
      << "the earlier run may not be dead after all";
  const auto mine = claim_all(sending.key, kOther);
  ASSERT_THAT(mine, SizeIs(1));
  EXPECT_EQ(release(), 0) << "one's own leases stay";
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
}

TEST_P(StoreSuite, AClaimOfABatchWithoutDueRecipientsMovesItsDueTime) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto lease = claim_all(sending.key, kMe, 60)[0];
  record({deferral(lease.key, 0, after(900))});
  // The holder dies without releasing: the batch is offered at the end of the lease.
  clock_.advance(std::chrono::seconds(60));
  EXPECT_THAT(due_keys(sending.key), SizeIs(1));
  EXPECT_THAT(claim_all(sending.key), IsEmpty());
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  EXPECT_EQ(upcoming(sending.key), after(840));
}

TEST_P(StoreSuite, ParkingIsNoAttempt) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  auto parked = deferral(lease.key, 0, after(20));
  parked.outcome.is_attempt = false;
  EXPECT_EQ(record({parked}).recorded, 1);
  record({outcome(lease.key, 1, RecipientState::delivered)});
  EXPECT_EQ(get(sending.key).counts.deferred, 0);
  const auto released = must(write(
      [&](WriteTransaction& t) { return t.release_batch(lease.key, lease.token, now(), now()); }));
  EXPECT_EQ(released.next, after(20));
  auto told = stories("user0@example.jp");
  EXPECT_EQ(told[0].state, RecipientState::pending);
  EXPECT_EQ(told[0].due, after(20));
  EXPECT_THAT(told[0].attempts, IsEmpty());
  clock_.advance(std::chrono::seconds(20));
  const auto again = claim_all(sending.key);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].recipients[0].attempts, 0);
}

TEST_P(StoreSuite, ATransactionThatIsDeferredComesBackWhenDue) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const LeasedBatch& lease = accepted.batches[0];
  record({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(120))});
  must(write(
      [&](WriteTransaction& t) { return t.release_batch(lease.key, lease.token, now(), now()); }));
  const auto due = [&] { return due_transactional(); };
  EXPECT_THAT(due(), IsEmpty());
  clock_.advance(std::chrono::seconds(120));
  ASSERT_THAT(due(), SizeIs(1));
  EXPECT_EQ(due()[0].recipients, 1U);
  EXPECT_EQ(due()[0].traffic, TrafficClass::transactional);
  const auto claimed = must(write([&](WriteTransaction& t) {
    return t.claim_batches(std::vector{lease.key}, kMe, after(60), now());
  }));
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_THAT(seqs(claimed[0]), ElementsAre(1));
}

TEST_P(StoreSuite, AClockThatJumpsNeitherLosesNorDoublesWork) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto lease = claim_all(sending.key, kMe, 60)[0];
  clock_.jump(std::chrono::hours(-24));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  must(write(
      [&](WriteTransaction& t) { return t.extend_lease(lease.key, lease.token, after(60)); }));
  clock_.jump(std::chrono::hours(48));
  EXPECT_THAT(due_keys(sending.key), SizeIs(1)) << "a jump ahead ends leases early";
  const auto second = claim_all(sending.key, kOther)[0];
  EXPECT_GT(second.token, lease.token);
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.release_batch(lease.key, lease.token, now(), now());
            })),
            "conflict");
  record({outcome(lease.key, 0, RecipientState::delivered)});
  EXPECT_EQ(record({outcome(second.key, 0, RecipientState::delivered)}).superseded, 1);
  EXPECT_EQ(get(sending.key).counts.delivered, 1);
}

TEST_P(StoreSuite, QueueFiguresFollowTheWork) {
  const Account acme = account();
  const auto figures = [&](TrafficClass traffic) {
    const auto all = must(read([&](ReadTransaction& t) { return t.queue_figures(now()); }));
    for (const QueueFigures& entry : all) {
      if (entry.traffic == traffic) return entry;
    }
    return QueueFigures{};
  };
  const auto accepted = accept(acme.key, {recipient("one"), recipient("two")});
  const Delivery sending = started(acme.key, recipients(5, "example.jp"));
  draft(acme.key);
  EXPECT_EQ(figures(TrafficClass::transactional).waiting, 2);
  EXPECT_EQ(figures(TrafficClass::transactional).oldest, std::nullopt) << "somebody works on it";
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 5);
  EXPECT_EQ(figures(TrafficClass::bulk).oldest, now());
  const auto lease = claim_all(sending.key)[0];
  EXPECT_EQ(figures(TrafficClass::bulk).oldest, std::nullopt);
  record({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(10)),
          outcome(accepted.batches[0].key, 0, RecipientState::bounced)});
  EXPECT_EQ(figures(TrafficClass::transactional).waiting, 1);
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 4);
  reopen();
  EXPECT_EQ(figures(TrafficClass::transactional).waiting, 1);
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 4);
  must(write([&](WriteTransaction& t) { return t.delete_delivery(sending.key, now()); }));
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 0);
  record({outcome(lease.key, 2, RecipientState::delivered)});
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 0);
}

}  // namespace
}  // namespace todoku::store
