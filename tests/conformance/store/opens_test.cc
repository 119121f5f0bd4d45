// SPDX-License-Identifier: Apache-2.0
// Who opened what (store/opens.h): once an hour and recipient, readers and prefetchers apart, with
// the event and the counts of the delivery.
#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/log_search.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

OpenSeen seen(const Accepted& mail, std::uint32_t seq, OpenedBy by = OpenedBy::reader,
              Milliseconds age = {}) {
  const BatchKey batch = mail.batches[0].key;
  return {.account = mail.delivery.account,
          .recipient = {batch.delivery, batch.batch, seq},
          .by = by,
          .age = age};
}

std::vector<OpenRecorded> record_opens(Store& store, const std::vector<OpenSeen>& all) {
  return must(store.write_and_wait(WritePriority::import,
                                   [&](WriteTransaction& t) { return t.record_opens(all); }));
}

OpenCounts counts_of(Store& store, DeliveryKey key) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.open_counts(key); }));
}

std::vector<OpenRecord> opens_in(Store& store, AccountKey account, std::int64_t limit = 100) {
  return must(store.read_and_wait(
      [&](ReadTransaction& t) { return t.opens_in(account, {1, 1'000'000}, limit); }));
}

std::vector<EventRecord> opened_events(Store& store, AccountKey account) {
  return must(store.read_and_wait([&](ReadTransaction& t) {
           return t.events({.account = account, .kinds = {EventKind::opened}});
         }))
      .events;
}

TEST_P(StoreSuite, AnOpeningIsKeptWithItsEventAndTheCounts) {
  const AccountKey owner = account().key;
  const auto mail = accept(owner, {recipient("to"), recipient("cc")});
  record({outcome(mail.batches[0].key, 0, RecipientState::delivered)});
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), OpenCounts{});
  EXPECT_THAT(opens_in(*store_, owner), IsEmpty());

  const Instant first = now() - 2s;
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0, OpenedBy::image_proxy, 2s)}),
              ElementsAre(OpenRecorded::recorded));
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), (OpenCounts{.opened = 1}));
  const auto opens = opens_in(*store_, owner);
  ASSERT_THAT(opens, SizeIs(1));
  EXPECT_EQ(opens[0].opened, first);
  EXPECT_EQ(opens[0].opened_last, first);
  EXPECT_EQ(opens[0].times, 1);
  EXPECT_EQ(opens[0].prefetched, std::nullopt);

  const auto events = opened_events(*store_, owner);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].entry.at, first);
  EXPECT_EQ(events[0].entry.opened_by, OpenedBy::image_proxy);
  EXPECT_EQ(events[0].delivery->id, mail.delivery.id);
  EXPECT_EQ(events[0].address, "to@example.jp");
  EXPECT_EQ(events[0].log_id, opens[0].id);

  LogSearch log({.account = owner});
  must(walk_and_wait(*store_, log));
  const auto rows = log.take();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].opened, first);
}

TEST_P(StoreSuite, AnOpeningCountsOnceAnHourAndTheRecipientOnce) {
  const auto mail = accept(account().key, {recipient("to")});
  const Instant first = now();
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0)}), ElementsAre(OpenRecorded::recorded));
  clock_.advance(59min);
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0)}), ElementsAre(OpenRecorded::repeated));
  clock_.advance(1min);
  const Instant second = now();
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0), seen(mail, 0)}),
              ElementsAre(OpenRecorded::recorded, OpenRecorded::repeated))
      << "told twice in one commit";
  EXPECT_THAT(opened_events(*store_, mail.delivery.account), SizeIs(2));
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), (OpenCounts{.opened = 1}));
  const auto opens = opens_in(*store_, mail.delivery.account);
  EXPECT_EQ(opens.at(0).opened, first);
  EXPECT_EQ(opens.at(0).opened_last, second);
  EXPECT_EQ(opens.at(0).times, 2);
}

TEST_P(StoreSuite, AComplaintOfAMailCountsOnceWhateverItsReaderOpened) {
  const auto mail = accept(account().key, {recipient("to"), recipient("cc")});
  const AccountKey owner = mail.delivery.account;
  record({outcome(mail.batches[0].key, 0, RecipientState::delivered),
          outcome(mail.batches[0].key, 1, RecipientState::delivered)});
  const auto complain = [&](AccountKey of, std::uint32_t seq) {
    const BatchKey batch = mail.batches[0].key;
    return must(store_->write_and_wait(WritePriority::outcomes, [&](WriteTransaction& t) {
      return t.record_complaint(of, {batch.delivery, batch.batch, seq}, ComplaintEvent::told);
    }));
  };
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0)}), ElementsAre(OpenRecorded::recorded));
  const Instant told = now();
  EXPECT_EQ(complain(owner, 0), OpenRecorded::recorded);
  EXPECT_EQ(complain(owner, 1), OpenRecorded::recorded) << "opened without images";
  clock_.advance(48h);
  EXPECT_EQ(complain(owner, 0), OpenRecorded::repeated) << "however much later";
  EXPECT_EQ(complain(owner, 2), OpenRecorded::unknown);
  EXPECT_EQ(complain(account("other").key, 0), OpenRecorded::unknown) << "it is not theirs";
  const auto opens = opens_in(*store_, owner);
  ASSERT_THAT(opens, SizeIs(2));
  EXPECT_EQ(opens[0].complained, told);
  EXPECT_EQ(opens[0].times, 1);
  EXPECT_EQ(opens[1].complained, told);
  EXPECT_EQ(opens[1].opened, std::nullopt);
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), (OpenCounts{.opened = 1}));
  EXPECT_THAT(must(store_->read_and_wait([&](ReadTransaction& t) {
                return t.events({.account = owner, .kinds = {EventKind::complained}});
              })).events,
              SizeIs(2));
  clock_.advance(1h);
  EXPECT_THAT(record_opens(*store_, {seen(mail, 1)}), ElementsAre(OpenRecorded::recorded));
  EXPECT_EQ(opens_in(*store_, owner)[1].complained, told) << "opening it takes nothing back";
}

TEST_P(StoreSuite, PrefetchersAreKeptAndCountedApart) {
  const auto mail = accept(account().key, {recipient("to"), recipient("cc")});
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0, OpenedBy::prefetch),
                                     seen(mail, 1, OpenedBy::prefetch), seen(mail, 1)}),
              ElementsAre(OpenRecorded::recorded, OpenRecorded::recorded, OpenRecorded::recorded));
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), (OpenCounts{.opened = 1, .prefetched = 2}));
  const auto opens = opens_in(*store_, mail.delivery.account);
  ASSERT_THAT(opens, SizeIs(2));
  EXPECT_EQ(opens[0].opened, std::nullopt) << "loading an image beforehand is no reading";
  EXPECT_EQ(opens[0].times, 0);
  EXPECT_EQ(opens[0].prefetched, now());
  EXPECT_EQ(opens[1].opened, now());
  clock_.advance(30min);
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0, OpenedBy::prefetch), seen(mail, 0)}),
              ElementsAre(OpenRecorded::repeated, OpenRecorded::recorded));
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), (OpenCounts{.opened = 2, .prefetched = 2}));
}

TEST_P(StoreSuite, AnOpeningOfWhatIsNotThereIsKeptNowhere) {
  const auto mail = accept(account().key, {recipient("to")});
  const auto other = account("other").key;
  OpenSeen foreign = seen(mail, 0);
  foreign.account = other;
  OpenSeen elsewhere = seen(mail, 0);
  elsewhere.recipient.delivery = DeliveryKey{987'654};
  const Delivery waiting = draft(mail.delivery.account);
  append(waiting.key, recipients(1, "example.com"));
  OpenSeen early = seen(mail, 0);
  early.recipient = {waiting.key, 1, 0};
  EXPECT_THAT(record_opens(*store_, {foreign, elsewhere, seen(mail, 1), early}),
              ElementsAre(OpenRecorded::unknown, OpenRecorded::unknown, OpenRecorded::unknown,
                          OpenRecorded::unknown));
  EXPECT_THAT(record_opens(*store_, {}), IsEmpty());
  EXPECT_THAT(opens_in(*store_, mail.delivery.account), IsEmpty());
  EXPECT_THAT(opens_in(*store_, other), IsEmpty());
  EXPECT_THAT(opened_events(*store_, mail.delivery.account), IsEmpty());
}

TEST_P(StoreSuite, OpeningsGoWithTheirDelivery) {
  const auto mail = accept(account().key, {recipient("to")});
  const auto kept = accept(mail.delivery.account, {recipient("to")});
  record_opens(*store_, {seen(mail, 0), seen(kept, 0)});
  EXPECT_THAT(opens_in(*store_, mail.delivery.account), SizeIs(2));
  EXPECT_THAT(opens_in(*store_, mail.delivery.account, 1), SizeIs(1));
  must(write([&](WriteTransaction& t) { return t.delete_delivery(mail.delivery.key); }));
  EXPECT_THAT(record_opens(*store_, {seen(mail, 0, OpenedBy::prefetch)}),
              ElementsAre(OpenRecorded::unknown));
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(100); }))) {
  }
  EXPECT_THAT(opens_in(*store_, mail.delivery.account), SizeIs(1));
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), OpenCounts{});
  EXPECT_EQ(counts_of(*store_, kept.delivery.key), (OpenCounts{.opened = 1}));
}

TEST_P(StoreSuite, OpeningsOfABulkAreFoundById) {
  const AccountKey owner = account().key;
  const Delivery news = started(owner, recipients(3, "example.com"));
  const auto leases = claim_all(news.key);
  const RecipientKey key{news.key, leases.at(0).key.batch, 1};
  EXPECT_THAT(record_opens(*store_, {{.account = owner, .recipient = key}}),
              ElementsAre(OpenRecorded::recorded));
  const auto opens = opens_in(*store_, owner);
  ASSERT_THAT(opens, SizeIs(1));
  const std::vector<PublicId> ids{opens[0].id, opens[0].id + 1};
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.opens_of(owner, ids); })), SizeIs(1));
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.opens_of(account("other").key, ids); })),
              IsEmpty());
}

// Several processes see the same: the recipient's row decides.
TEST_P(StoreSuite, OfManyWhoTellTheSameAtOnceOneIsBelieved) {
  const auto mail = accept(account().key, {recipient("to"), recipient("cc")});
  std::vector<std::thread> tellers;
  std::atomic<int> believed = 0;
  for (int i = 0; i < 8; ++i) {
    tellers.emplace_back([&] {
      for (const OpenRecorded each : record_opens(*store_, {seen(mail, 1), seen(mail, 0)})) {
        if (each == OpenRecorded::recorded) ++believed;
      }
    });
  }
  for (std::thread& teller : tellers) teller.join();
  EXPECT_EQ(believed, 2);
  EXPECT_EQ(counts_of(*store_, mail.delivery.key), (OpenCounts{.opened = 2}));
  EXPECT_THAT(opened_events(*store_, mail.delivery.account), SizeIs(2));
}

}  // namespace
}  // namespace todoku::store
