// SPDX-License-Identifier: Apache-2.0
// What an engine would send, and what nodes hold.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<WaitingDelivery> all_waiting(Store& store, std::int64_t at_once) {
  std::vector<WaitingDelivery> all;
  DeliveryKey after{};
  while (true) {
    const auto stretch = must(store.read_and_wait(
        [&](ReadTransaction& t) { return t.waiting_deliveries(after, at_once); }));
    EXPECT_LE(static_cast<std::int64_t>(stretch.deliveries.size()), at_once);
    all.insert(all.end(), stretch.deliveries.begin(), stretch.deliveries.end());
    if (!stretch.next) return all;
    after = *stretch.next;
  }
}

std::vector<RecipientKey> all_open(Store& store, std::int64_t at_once) {
  std::vector<RecipientKey> all;
  std::int64_t from = 0;
  while (true) {
    const auto stretch = must(
        store.read_and_wait([&](ReadTransaction& t) { return t.open_recipients(from, at_once); }));
    all.insert(all.end(), stretch.recipients.begin(), stretch.recipients.end());
    if (!stretch.next) return all;
    from = *stretch.next;
  }
}

TEST_P(StoreSuite, WhatWaitsIsCountedAndCanBeCancelled) {
  const Account acme = account();
  (void)draft(acme.key);  // is none that waits
  const Delivery reserved = draft(acme.key);
  append(reserved.key, recipients(3, "example.com"));
  must(write([&](WriteTransaction& t) { return t.commit_draft(reserved.key, after(3'600), {}); }));
  const Delivery sending = started(acme.key, recipients(70, "example.jp"));
  const Accepted one = accept(acme.key, {recipient("a"), recipient("b", "example.org")});
  const LeasedBatch lease = claim_all(sending.key).at(0);
  record({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(60))});
  const Delivery gone = started(acme.key, {recipient("gone")});
  must(write([&](WriteTransaction& t) { return t.delete_delivery(gone.key); }));
  for (const std::int64_t at_once : {1, 2, 100}) {
    const auto waiting = all_waiting(*store_, at_once);
    ASSERT_THAT(waiting, SizeIs(3));
    EXPECT_EQ(waiting[0].key, reserved.key);
    EXPECT_FALSE(waiting[0].started);
    EXPECT_EQ(waiting[0].recipients, 3);
    EXPECT_TRUE(waiting[1].started);
    EXPECT_EQ(waiting[1].recipients, 69);
    EXPECT_EQ(waiting[2].key, one.delivery.key);
    EXPECT_EQ(waiting[2].recipients, 2);
    EXPECT_THAT(all_open(*store_, at_once), SizeIs(71));
  }
  std::vector<OutcomeRecord> withdrawn;
  for (const RecipientKey& key : all_open(*store_, 100)) {
    OutcomeRecord record;
    record.key = key;
    record.outcome = {.state = RecipientState::cancelled,
                      .stage = Stage::none,
                      .reply = {0, "4.3.0 withdrawn"},
                      .is_attempt = false};
    withdrawn.push_back(record);
  }
  EXPECT_EQ(record(withdrawn).recorded, 71) << "whoever holds them";
  must(write([&](WriteTransaction& t) { return t.fail_delivery(reserved.key, "withdrawn"); }));
  EXPECT_THAT(all_open(*store_, 100), IsEmpty());
  EXPECT_THAT(all_waiting(*store_, 100), IsEmpty());
  EXPECT_EQ(get(sending.key).counts.cancelled, 69);
  EXPECT_EQ(get(sending.key).status, DeliveryStatus::sent);
  const auto told = stories("user1@example.jp");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].state, RecipientState::cancelled);
  EXPECT_EQ(told[0].attempts.back().outcome.reply.text, "4.3.0 withdrawn");
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
}

TEST_P(StoreSuite, WhatNodesHoldIsToldByNode) {
  const Account acme = account();
  const auto held = [&] {
    return must(read([](ReadTransaction& t) { return t.held_by_nodes(); }));
  };
  EXPECT_THAT(held(), IsEmpty());
  auto to = recipients(60, "example.jp");
  for (auto& each : recipients(55, "example.org")) to.push_back(each);
  const Delivery sending = started(acme.key, to);
  const auto keys = due_keys(sending.key);
  ASSERT_THAT(keys, SizeIs(2));
  const LeasedBatch mine = claim(me_, {keys[0]}).at(0);
  (void)claim(other_, {keys[1]});
  (void)accept(acme.key, {recipient("one")});
  settle({outcome(mine.key, 0, RecipientState::delivered)});
  const auto all = held();
  ASSERT_THAT(all, SizeIs(2));
  for (const NodeHolds& each : all) {
    const bool is_mine = each.node == me_;
    EXPECT_EQ(each.batches, is_mine ? 2 : 1);
    EXPECT_EQ(each.recipients + (is_mine ? 0 : 5),
              static_cast<std::int64_t>(mine.recipients.size()))
        << "of the one 59 of 60 and another one";
  }
}

}  // namespace
}  // namespace todoku::store
