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
  EXPECT_EQ(accepted.delivery.content.subject, "News for __name__");
  ASSERT_THAT(accepted.batches, SizeIs(1));
  ASSERT_THAT(accepted.batches[0].recipients, SizeIs(3));
  EXPECT_EQ(accepted.batches[0].recipients[2].address, "bcc@example.com");
  EXPECT_EQ(accepted.batches[0].recipients[2].insert_codes[0].value, "Name of bcc");

  const auto due = [&] {
    return must(read([&](ReadTransaction& t) { return t.due_transactional(now(), 10); }));
  };
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.next_due(now()); })), after(60));
  clock_.advance(std::chrono::seconds(60));
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
  EXPECT_THAT(claim_all(made.key, kOther), IsEmpty()) << "what is leased is not due";

  std::vector<OutcomeRecord> outcomes;
  for (const LeasedBatch& lease : leases) {
    for (const LeasedRecipient& to : lease.recipients) {
      outcomes.push_back(outcome(lease.key, to.seq, RecipientState::delivered));
    }
  }
  ASSERT_THAT(outcomes, SizeIs(121));
  const OutcomesRecorded recorded = record(outcomes);
  EXPECT_EQ(recorded.recorded, 121);
  EXPECT_EQ(recorded.superseded, 0);
  EXPECT_THAT(recorded.finished, ElementsAre(made.key));
  const Delivery sent = get(made.key);
  EXPECT_EQ(sent.status, DeliveryStatus::sent);
  EXPECT_EQ(sent.counts.delivered, 121);
  EXPECT_TRUE(sent.finished.has_value());
  for (const LeasedBatch& lease : leases) {
    const auto released = must(write([&](WriteTransaction& t) {
      return t.release_batch(lease.key, lease.token, now(), now());
    }));
    EXPECT_TRUE(released.done);
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

}  // namespace
}  // namespace todoku::store
