// SPDX-License-Identifier: Apache-2.0
// The log: who has a row in it, and that every way of looking finds the same rows in the same
// order (store/logs.h, store/log_search.h); and what is counted as used (store/usages.h).
#include <algorithm>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/log_search.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Ids = std::vector<PublicId>;

Result<std::vector<Story>> search(Store& store, const LogFilter& filter) {
  LogSearch log(filter);
  auto walked = walk_and_wait(store, log);
  if (!walked) return fail(std::move(walked.error()));
  return log.take();
}

Ids ids_of(const std::vector<Story>& stories) {
  Ids ids;
  std::ranges::transform(stories, std::back_inserter(ids), &Story::email_id);
  return ids;
}

Ids found(Store& store, const LogFilter& filter) {
  return ids_of(must(search(store, filter)));
}

// Page after page until one is short.
Ids paged(Store& store, LogFilter filter) {
  Ids all;
  while (true) {
    const Ids page = found(store, filter);
    all.insert(all.end(), page.begin(), page.end());
    if (static_cast<std::int64_t>(page.size()) < filter.limit) return all;
    filter.below = page.back();
  }
}

TEST_P(StoreSuite, TheLogHasARowForWhomeverSomethingIsKnown) {
  const AccountKey owner = account().key;
  const auto one = accept(owner, {recipient("to"), recipient("cc"), recipient("bcc")});
  EXPECT_THAT(found(*store_, {.account = owner}), IsEmpty()) << "nobody has been tried";
  const BatchKey batch = one.batches[0].key;
  record({outcome(batch, 0, RecipientState::delivered), deferral(batch, 1, after(60))});
  const auto rows = must(search(*store_, {.account = owner}));
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].address, "cc@example.jp");
  EXPECT_EQ(rows[0].state, RecipientState::deferred);
  EXPECT_EQ(rows[1].address, "to@example.jp");
  EXPECT_EQ(rows[1].delivery_id, one.delivery.id);
  EXPECT_THAT(found(*store_, {.account = account("other").key}), IsEmpty());

  const Delivery waiting = draft(owner);
  append(waiting.key, recipients(3, "example.com"));
  EXPECT_THAT(found(*store_, {.account = owner}), SizeIs(2)) << "a draft has no rows";
}

TEST_P(StoreSuite, TheLogIsFoundByState) {
  const AccountKey owner = account().key;
  const auto one = accept(owner, recipients(7, "example.jp"));
  const BatchKey batch = one.batches[0].key;
  record({outcome(batch, 0, RecipientState::delivered),
          outcome(batch, 1, RecipientState::bounced, 550, "5.1.1 no"),
          outcome(batch, 2, RecipientState::dropped, 0, "suppressed"),
          outcome(batch, 3, RecipientState::expired, 451, "4.7.1 later"),
          outcome(batch, 4, RecipientState::cancelled, 0, "withdrawn"),
          outcome(batch, 5, RecipientState::unknown, 0, "lost"), deferral(batch, 6, after(60))});
  const auto all = must(search(*store_, {.account = owner}));
  ASSERT_THAT(all, SizeIs(7));
  for (const Story& row : all) {
    EXPECT_THAT(found(*store_, {.account = owner, .states = {row.state}}),
                ElementsAre(row.email_id))
        << to_string(row.state);
  }
  EXPECT_THAT(found(*store_, {.account = owner,
                              .states = {RecipientState::bounced, RecipientState::deferred}}),
              ElementsAre(all[0].email_id, all[5].email_id));

  clock_.advance(std::chrono::seconds(60));
  record({outcome(batch, 6, RecipientState::delivered)});
  EXPECT_THAT(found(*store_, {.account = owner, .states = {RecipientState::deferred}}), IsEmpty());
  EXPECT_THAT(found(*store_, {.account = owner, .states = {RecipientState::delivered}}),
              ElementsAre(all[0].email_id, all[6].email_id));
}

TEST_P(StoreSuite, TheLogIsFoundByTheLastCode) {
  const AccountKey owner = account().key;
  const auto one = accept(owner, recipients(4, "example.jp"));
  const BatchKey batch = one.batches[0].key;
  record({outcome(batch, 0, RecipientState::delivered),
          outcome(batch, 1, RecipientState::bounced, 550, "5.1.1 no"),
          outcome(batch, 2, RecipientState::bounced, 554, "5.7.1 no"),
          deferral(batch, 3, after(60))});
  const auto all = found(*store_, {.account = owner});
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_THAT(found(*store_, {.account = owner, .codes = {550}}), ElementsAre(all[2]));
  EXPECT_THAT(found(*store_, {.account = owner, .codes = {550, 554}}), ElementsAre(all[1], all[2]));
  EXPECT_THAT(found(*store_, {.account = owner, .codes = {250}}), ElementsAre(all[3]));
  EXPECT_THAT(found(*store_, {.account = owner, .codes = {250, 554}}), ElementsAre(all[1], all[3]));
  EXPECT_THAT(
      found(*store_, {.account = owner, .states = {RecipientState::deferred}, .codes = {550}}),
      IsEmpty());
  // Another answer takes the place of the one before.
  clock_.advance(std::chrono::seconds(60));
  record({outcome(batch, 3, RecipientState::bounced, 550, "5.1.1 after all")});
  EXPECT_THAT(found(*store_, {.account = owner, .codes = {550}}), ElementsAre(all[0], all[2]));
  EXPECT_THAT(found(*store_, {.account = owner, .codes = {451}}), IsEmpty());
}

TEST_P(StoreSuite, TheLogIsPagedByItsIds) {
  const AccountKey owner = account().key;
  for (int i = 0; i < 5; ++i) {
    const auto one = accept(owner, recipients(3, "example.jp", static_cast<std::size_t>(i)));
    for (std::uint32_t seq = 0; seq < 3; ++seq) {
      record({seq == 1 ? outcome(one.batches[0].key, seq, RecipientState::bounced, 550, "5.1.1 no")
                       : outcome(one.batches[0].key, seq, RecipientState::delivered)});
    }
  }
  const Delivery many = started(owner, recipients(700, "example.com"));
  for (const LeasedBatch& lease : claim_all(many.key)) {
    std::vector<OutcomeRecord> outcomes;
    for (const LeasedRecipient& to : lease.recipients) {
      outcomes.push_back(outcome(lease.key, to.seq, RecipientState::delivered));
    }
    record(outcomes);
  }
  const Ids all = found(*store_, {.account = owner, .limit = 1000});
  ASSERT_THAT(all, SizeIs(715));
  EXPECT_TRUE(std::ranges::is_sorted(all, std::greater{}));
  EXPECT_EQ(paged(*store_, {.account = owner, .limit = 7}), all);
  EXPECT_EQ(paged(*store_, {.account = owner, .limit = 700}), all);
  EXPECT_THAT(paged(*store_, {.account = owner, .limit = 2, .states = {RecipientState::bounced}}),
              SizeIs(5));
  EXPECT_THAT(found(*store_, {.account = owner,
                              .limit = 1000,
                              .types = {DeliveryType::transaction},
                              .states = {RecipientState::delivered}}),
              SizeIs(10));
}

TEST_P(StoreSuite, TheLogOfADeliveryIsItsOwn) {
  const AccountKey owner = account().key;
  const Delivery first = draft(owner);
  const Delivery second = draft(owner);
  // Their ids lie between each other's.
  append(first.key, recipients(60, "example.jp"));
  append(second.key, recipients(60, "example.jp"));
  append(first.key, recipients(60, "example.com"));
  append(second.key, recipients(3, "example.com"));
  for (const Delivery& each : {first, second}) {
    commit_and_start(each.key);
    for (const LeasedBatch& lease : claim_all(each.key)) {
      for (const LeasedRecipient& to : lease.recipients) {
        record({to.seq == 2 ? outcome(lease.key, to.seq, RecipientState::bounced, 550, "5.1.1 no")
                            : outcome(lease.key, to.seq, RecipientState::delivered)});
      }
    }
  }
  const auto of = [&](const Delivery& each, std::vector<RecipientState> states = {}) {
    return must(search(
        *store_,
        {.account = owner, .limit = 1000, .delivery = each.id, .states = std::move(states)}));
  };
  EXPECT_THAT(of(first), SizeIs(120));
  EXPECT_THAT(of(second), SizeIs(63));
  for (const Story& row : of(first)) EXPECT_EQ(row.delivery_id, first.id);
  EXPECT_THAT(of(first, {RecipientState::bounced}), SizeIs(2));
  for (const Story& row : of(second, {RecipientState::bounced})) {
    EXPECT_EQ(row.delivery_id, second.id);
  }
  EXPECT_THAT(found(*store_, {.account = owner, .delivery = 12'345}), IsEmpty());
  EXPECT_THAT(found(*store_, {.account = account("other").key, .delivery = first.id}), IsEmpty());
  EXPECT_THAT(found(*store_, {.account = owner,
                              .limit = 1000,
                              .types = {DeliveryType::transaction},
                              .delivery = first.id}),
              IsEmpty());
}

TEST_P(StoreSuite, TheLogOfAnAddress) {
  const AccountKey owner = account().key;
  const AccountKey other = account("other").key;
  Ids expected;
  for (int i = 0; i < 4; ++i) {
    const auto mine = accept(owner, {recipient("other"), recipient("one")});
    const auto theirs = accept(other, {recipient("one")});
    const auto state = i == 2 ? RecipientState::bounced : RecipientState::delivered;
    record({outcome(mine.batches[0].key, 0, RecipientState::delivered),
            outcome(mine.batches[0].key, 1, state, i == 2 ? 550 : 250, "x"),
            outcome(theirs.batches[0].key, 0, RecipientState::delivered)});
  }
  const auto rows = must(search(*store_, {.account = owner, .address = "one@example.jp"}));
  ASSERT_THAT(rows, SizeIs(4));
  for (const Story& row : rows) EXPECT_EQ(row.address, "one@example.jp");
  EXPECT_TRUE(std::ranges::is_sorted(ids_of(rows), std::greater{}));
  EXPECT_EQ(paged(*store_, {.account = owner, .limit = 1, .address = "one@example.jp"}),
            ids_of(rows));
  EXPECT_THAT(
      found(*store_,
            {.account = owner, .address = "one@example.jp", .states = {RecipientState::bounced}}),
      ElementsAre(rows[1].email_id));
  EXPECT_THAT(
      found(*store_,
            {.account = owner, .address = "one@example.jp", .delivery = rows[0].delivery_id}),
      ElementsAre(rows[0].email_id));
  EXPECT_THAT(found(*store_, {.account = owner, .address = "nobody@example.jp"}), IsEmpty());
}

TEST_P(StoreSuite, AFewMailsOfAnAddressAreFoundAmongManyOfOtherAccounts) {
  const AccountKey owner = account().key;
  const AccountKey other = account("other").key;
  const auto deliver = [&](AccountKey whose, std::size_t mails) {
    const auto made = accept(whose, std::vector(mails, recipient("one")));
    std::vector<OutcomeRecord> outcomes;
    for (std::uint32_t seq = 0; seq < mails; ++seq) {
      outcomes.push_back(outcome(made.batches[0].key, seq, RecipientState::delivered));
    }
    record(outcomes);
  };
  for (int i = 0; i < 3; ++i) {
    deliver(owner, 1);
    deliver(other, 150);
  }
  deliver(owner, 2);
  const LogFilter all{.account = owner, .address = "one@example.jp"};
  const Ids mine = found(*store_, all);
  EXPECT_THAT(mine, SizeIs(5));
  for (const std::int64_t limit : {1, 2, 4}) {
    LogFilter page = all;
    page.limit = limit;
    EXPECT_EQ(paged(*store_, page), mine) << limit;
  }
  LogFilter of_other = all;
  of_other.account = other;
  of_other.limit = 70;
  EXPECT_THAT(paged(*store_, of_other), SizeIs(450));
}

// Also of what was registered long before it started.
TEST_P(StoreSuite, TheLogOfASpanOfTime) {
  const AccountKey owner = account().key;
  const Delivery early = draft(owner);
  append(early.key, recipients(2, "example.com"));
  std::vector<std::pair<Instant, PublicId>> sent;
  const auto send = [&] {
    const auto one = accept(owner, {recipient("one")});
    record({outcome(one.batches[0].key, 0, RecipientState::delivered)});
    sent.emplace_back(now(), found(*store_, {.account = owner, .limit = 1})[0]);
  };
  for (int hour = 0; hour < 6; ++hour) {
    clock_.advance(std::chrono::hours(1));
    send();
  }
  commit_and_start(early.key);
  const Instant late = now();
  const auto lease = claim_all(early.key)[0];
  record({outcome(lease.key, 0, RecipientState::delivered),
          outcome(lease.key, 1, RecipientState::bounced, 550, "5.1.1 no")});
  const auto within = [&](Instant from, Instant to, std::vector<int> codes = {}) {
    return found(*store_,
                 {.account = owner, .codes = std::move(codes), .start_from = from, .start_to = to});
  };
  EXPECT_THAT(within(sent[1].first, sent[3].first),
              ElementsAre(sent[3].second, sent[2].second, sent[1].second));
  EXPECT_THAT(within(sent[1].first + Milliseconds(1), sent[3].first - Milliseconds(1)),
              ElementsAre(sent[2].second));
  EXPECT_THAT(within(late, late), SizeIs(3)) << "the last one, and the two of old";
  EXPECT_THAT(within(late, late, {550}), SizeIs(1));
  EXPECT_THAT(within(after(1), after(60)), IsEmpty());
  EXPECT_THAT(found(*store_, {.account = owner, .start_to = sent[0].first}),
              ElementsAre(sent[0].second));
}

TEST_P(StoreSuite, WhatIsRemovedIsNotInTheLogAnyMore) {
  const AccountKey owner = account().key;
  const auto one = accept(owner, {recipient("one")});
  const Delivery many = started(owner, recipients(2, "example.com"));
  record({outcome(one.batches[0].key, 0, RecipientState::bounced, 550, "5.1.1 no"),
          outcome(claim_all(many.key)[0].key, 1, RecipientState::bounced, 550, "5.1.1 no")});
  const LogFilter bounced{.account = owner, .states = {RecipientState::bounced}};
  EXPECT_THAT(found(*store_, bounced), SizeIs(2));
  for (const DeliveryKey key : {one.delivery.key, many.key}) {
    must(write([&](WriteTransaction& t) { return t.delete_delivery(key); }));
  }
  EXPECT_THAT(found(*store_, bounced), IsEmpty());
  EXPECT_THAT(found(*store_, {.account = owner}), IsEmpty());
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(1'000); }))) {
  }
  const auto left = must(read([&](ReadTransaction& t) {
    return t.not_sent(owner, {LogKey::By::code, 550}, {1, 1'000'000}, 10);
  }));
  EXPECT_THAT(left, IsEmpty());
}

// ---- usages ------------------------------------------------------------------------------------

TEST_P(StoreSuite, AMailIsUsedInTheMonthInWhichItStarts) {
  const AccountKey owner = account().key;
  const auto usages = [&] {
    return must(read([&](ReadTransaction& t) { return t.usages(owner, 197001, 999912); }));
  };
  EXPECT_THAT(usages(), IsEmpty());
  const Month first = month_of(now());
  accept(owner, recipients(3, "example.jp"));
  accept(owner, recipients(1, "example.jp"));
  accept(account("other").key, recipients(5, "example.jp"));
  const Delivery many = draft(owner);
  append(many.key, recipients(60, "example.com"));
  ASSERT_THAT(usages(), SizeIs(1));
  EXPECT_EQ(usages()[0].month, first);
  EXPECT_EQ(usages()[0].mails, 4) << "what has not started is not used";
  EXPECT_EQ(usages()[0].updated, now());

  clock_.advance(std::chrono::hours(24 * 31));
  commit_and_start(many.key);
  ASSERT_THAT(usages(), SizeIs(2));
  EXPECT_EQ(usages()[0].month, month_of(now()));
  EXPECT_EQ(usages()[0].mails, 60);
  EXPECT_EQ(usages()[1].mails, 4);
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.usages(owner, first, first); })),
              SizeIs(1));
  // What is deleted was used all the same.
  must(write([&](WriteTransaction& t) { return t.delete_delivery(many.key); }));
  EXPECT_EQ(usages()[0].mails, 60);
}

TEST(Usages, MonthsAreThoseOfJapan) {
  EXPECT_EQ(month_of(from_epoch_ms(1'767'193'199'999)), 202512);  // 2025-12-31T14:59:59.999Z
  EXPECT_EQ(month_of(from_epoch_ms(1'767'193'200'000)), 202601);
  EXPECT_EQ(beginning_of(202601), from_epoch_ms(1'767'193'200'000));
  EXPECT_EQ(month_before(202601, 1), 202512);
  EXPECT_EQ(month_before(202612, 12), 202512);
  EXPECT_TRUE(is_month(202612));
  for (const Month no : {0, 202600, 202613, 196912, 1'000'001, -1}) EXPECT_FALSE(is_month(no));
}

}  // namespace
}  // namespace todoku::store
