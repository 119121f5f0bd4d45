// SPDX-License-Identifier: Apache-2.0
// The life of deliveries, from accept or draft to the last outcome.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(StoreSuite, AnAcceptedTransactionIsLeasedToItsHolderAndHandedOver) {
  const Account acme = account();
  const auto accepted =
      accept(acme.key, {recipient("to"), recipient("cc"), recipient("bcc", "example.com")});
  EXPECT_EQ(accepted.delivery.id, 1);
  EXPECT_EQ(accepted.delivery.status, DeliveryStatus::sending);
  EXPECT_EQ(accepted.delivery.signing, "sel1");
  EXPECT_EQ(get(accepted.delivery.key).content.subject, "News for __name__");
  ASSERT_THAT(accepted.batches, SizeIs(1));
  ASSERT_THAT(accepted.batches[0].recipients, SizeIs(3));
  EXPECT_EQ(accepted.batches[0].recipients[2].address, "bcc@example.com");
  EXPECT_EQ(accepted.batches[0].recipients[2].insert_codes[0].value, "Name of bcc");

  const auto due = [&] { return due_transactional(); };
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(upcoming(), std::nullopt) << "what is held becomes due by nothing but its release";
  bury(me_);
  ASSERT_THAT(due(), SizeIs(1));
  EXPECT_EQ(due()[0].key, accepted.batches[0].key);
  EXPECT_EQ(due()[0].recipients, 3U);
}

TEST_P(StoreSuite, ABulkGoesFromDraftToSent) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  EXPECT_EQ(made.status, DeliveryStatus::edit);
  append(made.key, recipients(120, "example.jp"));
  append(made.key, {recipient("single", "example.com")});
  EXPECT_EQ(get(made.key).counts.total, 121);
  EXPECT_THAT(claim_all(made.key), IsEmpty()) << "a draft is not due";

  commit_and_start(made.key);
  EXPECT_EQ(get(made.key).status, DeliveryStatus::sending);
  const auto leases = claim_all(made.key);
  ASSERT_THAT(leases, SizeIs(2));
  EXPECT_THAT(claim_all(made.key, other_), IsEmpty()) << "what is leased is not due";

  std::vector<OutcomeRecord> outcomes;
  for (const LeasedBatch& lease : leases) {
    for (const LeasedRecipient& to : lease.recipients) {
      outcomes.push_back(outcome(lease.key, to.seq, RecipientState::delivered));
    }
  }
  ASSERT_THAT(outcomes, SizeIs(121));
  const Recorded recorded = record(outcomes);
  EXPECT_EQ(recorded.recorded, 121);
  EXPECT_EQ(recorded.superseded, 0);
  EXPECT_THAT(recorded.finished, ElementsAre(made.key));
  const Delivery sent = get(made.key);
  EXPECT_EQ(sent.status, DeliveryStatus::sent);
  EXPECT_EQ(sent.counts.delivered, 121);
  EXPECT_TRUE(sent.finished.has_value());
  for (const LeasedBatch& lease : leases) {
    EXPECT_TRUE(must(release(lease)).done);
  }
}

TEST_P(StoreSuite, TheStoryTellsEveryAttempt) {
  const Account acme = account();
  const auto accepted = accept(acme.key, {recipient("Taro")});
  const BatchKey batch = accepted.batches[0].key;
  record({deferral(batch, 0, after(300))});
  auto told = stories("taro@example.jp");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].account, "acme");
  EXPECT_EQ(told[0].address, "Taro@example.jp");
  EXPECT_EQ(told[0].state, RecipientState::deferred);
  EXPECT_EQ(told[0].due, after(300));

  clock_.advance(std::chrono::seconds(300));
  record({outcome(batch, 0, RecipientState::delivered)});
  told = stories("TARO@EXAMPLE.JP");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].state, RecipientState::delivered);
  EXPECT_EQ(told[0].due, std::nullopt);
  ASSERT_THAT(told[0].attempts, SizeIs(2));
  EXPECT_EQ(told[0].attempts[0].outcome.reply.code, 451);
  EXPECT_EQ(told[0].attempts[0].outcome.stage, Stage::rcpt_to);
  EXPECT_EQ(told[0].attempts[1].number, 2);
  EXPECT_EQ(told[0].attempts[1].outcome.reply.text, "2.0.0 Ok: queued");
  EXPECT_EQ(told[0].attempts[1].path.mx_host, "mx1.example.jp");
  EXPECT_EQ(told[0].attempts[1].path.tls, TlsUse::verified);
  EXPECT_EQ(told[0].attempts[1].duration, Milliseconds(120));
}

TEST_P(StoreSuite, AReservationStartsAtItsTimeAndCanBeCancelledUntilThen) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, {recipient("one")});
  const auto commit = [&](std::optional<Instant> when) {
    return write([&](WriteTransaction& t) { return t.commit_draft(made.key, when, {}); });
  };
  const auto to_start = [&] {
    return must(read([&](ReadTransaction& t) { return t.deliveries_to_start(10); }));
  };
  const auto next = [&] {
    return must(read([&](ReadTransaction& t) { return t.next_reservation(); }));
  };
  must(commit(after(3'600)));
  EXPECT_EQ(get(made.key).status, DeliveryStatus::reserve);
  EXPECT_EQ(get(made.key).reservation, after(3'600));
  EXPECT_EQ(error_of(commit(after(60))), "conflict");
  EXPECT_THAT(to_start(), IsEmpty());
  EXPECT_EQ(next(), std::chrono::hours(1));
  const auto reserved = [&] {
    return must(read([&](ReadTransaction& t) { return t.reserved_work(); }));
  };
  EXPECT_EQ(reserved().deliveries, 1);
  EXPECT_EQ(reserved().recipients, 1);
  EXPECT_EQ(reserved().first, after(3'600));
  EXPECT_FALSE(reserved().more);

  must(write([&](WriteTransaction& t) { return t.cancel_reservation(made.key); }));
  EXPECT_EQ(get(made.key).status, DeliveryStatus::edit);
  EXPECT_EQ(get(made.key).reservation, std::nullopt);
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.cancel_reservation(made.key); })),
            "conflict");

  must(commit(after(60)));
  reopen();
  clock_.advance(std::chrono::seconds(60));
  ASSERT_THAT(to_start(), SizeIs(1));
  EXPECT_EQ(to_start()[0].delivery.key, made.key);
  EXPECT_EQ(to_start()[0].late, Milliseconds(0));
  EXPECT_EQ(to_start()[0].delivery.content.subject, "News for __name__");
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_EQ(reserved().deliveries, 0) << "its time has come";
  EXPECT_EQ(reserved().first, std::nullopt);
  must(write([&](WriteTransaction& t) { return t.start_delivery(made.key, "sel9", kLifeTime); }));
  EXPECT_THAT(to_start(), IsEmpty());
  const Delivery sending = get(made.key);
  EXPECT_EQ(sending.status, DeliveryStatus::sending);
  EXPECT_EQ(sending.started, now());
  EXPECT_EQ(sending.signing, "sel9");
}

TEST_P(StoreSuite, ATransactionCanWaitForItsTime) {
  const Account acme = account();
  const auto waiting = [&](Milliseconds life) {
    NewDelivery wanted = bulk(acme.key);
    wanted.type = DeliveryType::transaction;
    wanted.traffic = TrafficClass::transactional;
    wanted.life = life;
    return must(write([&](WriteTransaction& t) -> Result<Delivery> {
      auto made = t.create_draft(wanted, kDraftsMax);
      if (!made) return made;
      const auto to = std::vector{recipient("to"), recipient("cc", "example.com")};
      if (auto ids = t.append_recipients(made->key, to); !ids) return fail(ids.error());
      auto done = t.commit_draft(made->key, after(60), {});
      if (!done) return fail(done.error());
      return made;
    }));
  };
  const auto move = [&](DeliveryKey key, Instant when) {
    return write([&](WriteTransaction& t) { return t.move_reservation(key, when, {}); });
  };
  const auto to_start = [&] {
    return must(read([&](ReadTransaction& t) { return t.deliveries_to_start(10); }));
  };
  const Delivery made = waiting(std::chrono::seconds(5));
  const Delivery cancelled = waiting(std::chrono::hours(100'000));
  EXPECT_EQ(get(made.key).status, DeliveryStatus::reserve);
  EXPECT_THAT(due_transactional(), IsEmpty());
  must(move(made.key, after(10)));
  EXPECT_EQ(get(made.key).reservation, after(10));
  must(write([&](WriteTransaction& t) { return t.fail_delivery(cancelled.key, "cancelled"); }));
  EXPECT_EQ(get(cancelled.key).counts.cancelled, 2);
  EXPECT_EQ(error_of(move(cancelled.key, after(10))), "conflict");

  clock_.advance(std::chrono::seconds(10));
  ASSERT_THAT(to_start(), SizeIs(1));
  const auto start = [&](DeliveryKey key) {
    return write([&](WriteTransaction& t) { return t.start_delivery(key, "s1", kLifeTime); });
  };
  must(start(made.key));
  EXPECT_EQ(get(made.key).expires, after(5)) << "its own life is the shorter one";
  EXPECT_EQ(error_of(move(made.key, after(10))), "conflict") << "it has begun";
  ASSERT_THAT(due_transactional(), SizeIs(1));
  EXPECT_EQ(due_transactional()[0].recipients, 2U);
  EXPECT_THAT(claim_all(made.key), SizeIs(1));

  const Delivery long_lived = waiting(std::chrono::hours(100'000));
  clock_.advance(std::chrono::seconds(60));
  must(start(long_lived.key));
  EXPECT_EQ(get(long_lived.key).expires, now() + kLifeTime) << "no longer than is usual";
}

TEST_P(StoreSuite, WhatIsToStartIsGivenOldestFirst) {
  const Account acme = account();
  std::vector<DeliveryKey> keys;
  for (int i = 0; i < 4; ++i) keys.push_back(draft(acme.key).key);
  const auto commit = [&](DeliveryKey key, std::optional<Instant> when) {
    must(write([&](WriteTransaction& t) { return t.commit_draft(key, when, {}); }));
  };
  commit(keys[0], after(30));
  commit(keys[1], after(10));
  commit(keys[2], std::nullopt);
  commit(keys[3], after(90));
  clock_.advance(std::chrono::seconds(60));
  const auto to_start = [&](std::int64_t limit) {
    std::vector<DeliveryKey> found;
    for (const StartingDelivery& starting :
         must(read([&](ReadTransaction& t) { return t.deliveries_to_start(limit); }))) {
      found.push_back(starting.delivery.key);
    }
    return found;
  };
  EXPECT_THAT(to_start(10), ElementsAre(keys[2], keys[1], keys[0]));
  EXPECT_THAT(to_start(1), ElementsAre(keys[2]));
}

TEST_P(StoreSuite, ADeliveryWithoutRecipientsIsSentAtOnce) {
  const Delivery made = draft(account().key);
  commit_and_start(made.key);
  EXPECT_EQ(get(made.key).status, DeliveryStatus::sent);
  EXPECT_EQ(get(made.key).finished, now());
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.sending_bulk(); })), IsEmpty());
}

TEST_P(StoreSuite, AFailedDeliveryTakesItsRecipientsWithIt) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, recipients(3, "example.jp"));
  const auto fail_it = [&] {
    return write([&](WriteTransaction& t) {
      return t.fail_delivery(made.key, "reservation missed by 3 days");
    });
  };
  EXPECT_EQ(error_of(fail_it()), "conflict") << "a draft cannot fail";
  must(write([&](WriteTransaction& t) { return t.commit_draft(made.key, after(1), {}); }));
  clock_.advance(std::chrono::seconds(5));
  must(fail_it());
  const Delivery failed = get(made.key);
  EXPECT_EQ(failed.status, DeliveryStatus::failed);
  EXPECT_EQ(failed.failure_reason, "reservation missed by 3 days");
  EXPECT_EQ(failed.counts.cancelled, 3);
  EXPECT_EQ(failed.finished, now());
  EXPECT_EQ(stories("user1@example.jp")[0].state, RecipientState::cancelled);
  EXPECT_EQ(stories("user1@example.jp")[0].failure_reason, failed.failure_reason);
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.deliveries_to_start(9); })), IsEmpty());
  EXPECT_EQ(upcoming(made.key), std::nullopt);
  EXPECT_THAT(claim_all(made.key), IsEmpty());
}

TEST_P(StoreSuite, ADeletedDeliveryIsGoneAtOnceAndItsRowsInSlices) {
  const Account acme = account();
  const Delivery sending = started(acme.key, recipients(700, "example.jp"));
  const auto leases = claim_all(sending.key);
  record({outcome(leases[0].key, 0, RecipientState::delivered)});
  const auto accepted = accept(acme.key, {recipient("one")});
  const Delivery kept = started(acme.key, recipients(2, "example.com"));
  const auto remove = [&](DeliveryKey key) {
    return write([&](WriteTransaction& t) { return t.delete_delivery(key); });
  };
  must(remove(sending.key));
  must(remove(accepted.delivery.key));
  EXPECT_EQ(error_of(remove(sending.key)), "not_found");
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.delivery(sending.key); })),
            "not_found");
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.delivery(acme.key, sending.id); })),
            "not_found");
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.recipient(acme.key, 1); })),
            "not_found");
  EXPECT_THAT(stories("user3@example.jp"), IsEmpty());
  EXPECT_THAT(stories("one@example.jp"), IsEmpty());
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.sending_bulk(); })), SizeIs(1));
  clock_.advance(std::chrono::hours(1));
  EXPECT_THAT(due_transactional(), IsEmpty());
  EXPECT_THAT(claim(me_, {leases[0].key, accepted.batches[0].key}), IsEmpty());

  int slices = 0;
  while (must(
      write([](WriteTransaction& t) { return t.purge_deleted(100); }, WritePriority::retention))) {
    ASSERT_LT(++slices, 100);
  }
  EXPECT_GE(slices, 2);
  EXPECT_EQ(error_of(release(leases[0])), "not_found");
  EXPECT_THAT(stories("user1@example.com"), SizeIs(1));
  EXPECT_EQ(get(kept.key).counts.total, 2);
  EXPECT_THAT(claim_all(kept.key), SizeIs(1));
}

TEST_P(StoreSuite, PublicIdsIncreasePerAccountAndAreNeverUsedAgain) {
  const Account acme = account("acme");
  const Account other = account("other");
  PublicId last_delivery = 0;
  PublicId last_email = 0;
  const auto accept_one = [&](AccountKey key) {
    const auto accepted = accept(key, {recipient("a"), recipient("b")});
    const PublicId email = stories("b@example.jp")[0].email_id;
    return std::pair(accepted.delivery, email);
  };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3; ++i) {
      const auto [delivery, email] = accept_one(acme.key);
      EXPECT_GT(delivery.id, last_delivery);
      EXPECT_GT(email, last_email);
      EXPECT_LT(delivery.id, 10'000);
      EXPECT_LT(email, 10'000);
      last_delivery = delivery.id;
      last_email = email;
    }
    // The newest are deleted and purged: their ids are not given out again.
    must(write([&](WriteTransaction& t) {
      return t.delete_delivery(must(t.read().delivery(acme.key, last_delivery)).key);
    }));
    while (must(write([](WriteTransaction& t) { return t.purge_deleted(10); }))) {
    }
    if (round == 0) reopen();
    if (round == 1) crash();
  }
  EXPECT_EQ(accept_one(other.key).first.id, 1);
}

TEST_P(StoreSuite, AnOrderlyRestartLeavesNoGapInTheIds) {
  const Account acme = account();
  EXPECT_EQ(draft(acme.key).id, 1);
  reopen();
  EXPECT_EQ(draft(acme.key).id, 2);
}

TEST_P(StoreSuite, ATransactionNeedsARecipientAndAnAccount) {
  const Account acme = account();
  const auto refused = [&](AccountKey key, const std::vector<NewRecipient>& to) {
    return error_of(store_->perform_and_wait(acceptance(key, to)));
  };
  EXPECT_EQ(refused(acme.key, {}), "invalid_input");
  EXPECT_EQ(refused(AccountKey{77}, {recipient("a")}), "not_found");
}

TEST_P(StoreSuite, ATransactionMayHaveMoreRecipientsThanABatch) {
  const Account acme = account();
  const auto accepted = accept(acme.key, recipients(1'100, "example.jp"));
  EXPECT_EQ(accepted.delivery.counts.total, 1'100);
  ASSERT_THAT(accepted.batches, SizeIs(3));
  std::vector<OutcomeRecord> outcomes;
  for (const LeasedBatch& lease : accepted.batches) {
    EXPECT_LE(lease.recipients.size(), 500U);
    for (const LeasedRecipient& to : lease.recipients) {
      outcomes.push_back(outcome(lease.key, to.seq, RecipientState::delivered));
    }
  }
  EXPECT_THAT(record(outcomes).finished, ElementsAre(accepted.delivery.key));
  // The next number is not one of its batches.
  EXPECT_EQ(accept(acme.key, {recipient("next")}).delivery.counts.total, 1);
  must(write([&](WriteTransaction& t) { return t.delete_delivery(accepted.delivery.key); }));
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(1'000); }))) {
  }
  EXPECT_THAT(stories("next@example.jp"), SizeIs(1));
}

TEST_P(StoreSuite, AfterACrashEverythingCommittedIsThere) {
  const Account acme = account();
  const auto accepted = accept(acme.key, {recipient("one")});
  const Delivery sending = started(acme.key, recipients(700, "example.jp"));
  const auto leases = claim_all(sending.key);
  record({outcome(leases[0].key, 0, RecipientState::delivered)});
  crash();
  EXPECT_EQ(get(accepted.delivery.key).content.subject, "News for __name__");
  EXPECT_EQ(get(sending.key).counts.delivered, 1);
  EXPECT_EQ(bury(me_).batches, 3);
  std::size_t all = 0;
  for (const LeasedBatch& lease : claim_all(sending.key, other_)) {
    all += lease.recipients.size();
  }
  EXPECT_EQ(all, 699U);
}

}  // namespace
}  // namespace todoku::store
