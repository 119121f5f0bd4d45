// SPDX-License-Identifier: Apache-2.0
// What is paused for bounces and complaints, on a real store, in time that the test moves.
#include "events/protection/watcher.h"

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/protection/tag_tally.h"
#include "store/rate_holds.h"
#include "support/installation.h"

namespace todoku::events::protection {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// docomo reports no complaints and bears 10 % unknown users; outlook is known by its host alone.
Receiver receiver_of(std::string_view domain, std::string_view mx_host) {
  if (domain == "docomo.ne.jp") return {.site = "docomo", .unknown_users_limit = 100'000};
  if (domain == "yahoo.example") return {.site = "yahoo", .reports_complaints = true};
  if (mx_host == "mx.outlook.example") return {.site = "outlook", .reports_complaints = true};
  return {};
}

class WatcherTest : public ::testing::Test {
 protected:
  template <class Work>
  auto write(Work work) {
    return store_.store->write_and_wait(store::WritePriority::accept, std::move(work)).value();
  }
  template <class Work>
  auto read(Work work) {
    return store_.store->read_and_wait(std::move(work)).value();
  }
  WatcherTest() {
    account_ = write([](store::WriteTransaction& t) { return t.create_account("shop"); }).key;
    node_ = write([](store::WriteTransaction& t) { return t.enter_node({.name = "a"}); });
    begin();
  }

  void begin() {
    watcher_ = std::make_unique<Watcher>(Watcher::World{.store = *store_.store,
                                                        .clock = store_.clock,
                                                        .metrics = metrics_.emplace_back(),
                                                        .node = [this] { return node_; },
                                                        .holds = [] { return true; },
                                                        .receivers = receiver_of},
                                         ProtectionOptions{}, context_.get_executor());
    turn();  // what was before concerns nobody
  }
  void turn() {
    while (run(watcher_->turn())) continue;
  }
  // Goes out, to `count` recipients at the domain.
  store::DeliveryKey bulk(std::size_t count, std::string_view domain,
                          std::string_view from = "shop@sender.example") {
    std::vector<store::NewRecipient> to;
    for (std::size_t i = 0; i < count; ++i) {
      to.push_back({fmt::format("user{}@{}", i, domain), std::string(domain), {}});
    }
    const auto key = write([&](store::WriteTransaction& t) -> Result<store::DeliveryKey> {
      store::NewDelivery made{
          .account = account_, .type = DeliveryType::bulk, .traffic = TrafficClass::bulk};
      made.content.from.address = from;
      made.labels.tags = tags_;
      const auto draft = t.create_draft(made, std::nullopt);
      if (!draft) return fail(draft.error());
      if (auto added = t.append_recipients(draft->key, to); !added) return fail(added.error());
      if (auto done = t.commit_draft(draft->key, std::nullopt, {}); !done)
        return fail(done.error());
      if (auto done = t.start_delivery(draft->key, "", 24h); !done) return fail(done.error());
      return draft->key;
    });
    next_[key] = keys_of(key);
    return key;
  }
  // One mail at once, that a receiver takes.
  void transaction(std::vector<std::string> tags) {
    store::Accept accept{.delivery = {.account = account_}, .recipients = {}, .life_time = 24h};
    accept.delivery.content.from.address = "shop@sender.example";
    accept.delivery.labels.tags = std::move(tags);
    accept.recipients.push_back({"one@docomo.ne.jp", "docomo.ne.jp", {}});
    const auto accepted = store_.store->perform_and_wait(std::move(accept));
    const store::DeliveryKey key = accepted.value().delivery.key;
    next_[key] = {{.delivery = key}};
    take(key, 1);
  }
  // "tag answered/delivered/hard" of today.
  std::vector<std::string> counted_by_tag() {
    const Instant now = store_.store->clock().now();
    return read([&](store::ReadTransaction& t) -> Result<std::vector<std::string>> {
      const auto subjects =
          t.rate_subjects({.account = account_, .from = store::tag_day(now), .tags = true});
      if (!subjects) return fail(subjects.error());
      const auto found = t.rates(*subjects, store::tag_day(now), store::rate_hour(now));
      if (!found) return fail(found.error());
      std::vector<std::string> told;
      for (const store::RateFound& each : *found) {
        told.push_back(fmt::format("{} {}/{}/{}", each.subject.name, each.counts.answered,
                                   each.counts.delivered, each.counts.hard));
      }
      return told;
    });
  }
  std::vector<store::RecipientKey> keys_of(store::DeliveryKey key) {
    std::vector<store::RecipientKey> keys;
    const auto due = store_.store->perform_and_wait(store::Due{.workload = key, .limit = 1'000});
    for (const store::DueDomain& domain : due.value().domains) {
      for (const store::DueBatch& batch : domain.batches) {
        for (std::uint32_t seq = 0; seq < batch.recipients; ++seq) {
          keys.push_back({batch.key.delivery, batch.key.batch, seq});
        }
      }
    }
    return keys;
  }
  // What becomes of the next recipients.
  void settle(store::DeliveryKey key, std::size_t count, Outcome outcome) {
    std::vector<store::OutcomeRecord> records;
    for (; count > 0; --count) {
      ASSERT_FALSE(next_[key].empty());
      records.push_back(
          {.key = next_[key].back(), .outcome = outcome, .path = {.mx_host = mx_host_}});
      next_[key].pop_back();
    }
    const auto settled =
        store_.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}});
    for (const auto& each : settled.value().outcomes) ASSERT_TRUE(each);
  }
  void take(store::DeliveryKey key, std::size_t count) {
    settle(key, count, {.state = RecipientState::delivered, .stage = Stage::accepted});
  }
  void bounce(store::DeliveryKey key, std::size_t count, Cause cause = Cause::mailbox) {
    settle(key, count, {.state = RecipientState::bounced, .stage = Stage::rcpt_to, .cause = cause});
  }
  // By mails, days later: of whom it was sent to.
  void complain(std::span<const store::RecipientKey> keys) {
    write([&](store::WriteTransaction& t) -> Result<void> {
      for (const store::RecipientKey& key : keys) {
        t.tell_of_recipient(store::EventKind::complained, account_, key);
      }
      return {};
    });
  }
  void come_back(std::span<const store::RecipientKey> keys) {
    std::vector<store::OutcomeRecord> records;
    for (const store::RecipientKey& key : keys) {
      records.push_back({.key = key,
                         .outcome = {.state = RecipientState::bounced,
                                     .stage = Stage::accepted,
                                     .reply = {550, "5.1.1 unknown"},
                                     .is_attempt = false,
                                     .cause = Cause::mailbox},
                         .if_taken = true});
    }
    const auto settled =
        store_.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}});
    for (const auto& each : settled.value().outcomes) ASSERT_TRUE(each);
  }
  OutcomeCounts counted_at(std::string_view site) {
    const store::RateSubject subject{
        .account = account_, .scope = store::RateScope::receiver, .name = std::string(site)};
    const store::RateHour hour = store::rate_hour(store_.store->clock().now());
    return read([&](store::ReadTransaction& t) {
             return t.rates(std::span(&subject, 1), hour - 1, hour);
           })
        .front()
        .counts;
  }
  void resume(store::DeliveryKey key) {
    const Instant now = store_.store->clock().now();
    write([key, now](store::WriteTransaction& t) -> Result<void> {
      const auto head = t.read().delivery_head(key);
      if (!head) return fail(head.error());
      if (auto ended = store::end_rate_holds(t, *head, now); !ended) return fail(ended.error());
      auto steered = t.steer_delivery(key, store::Course::goes);
      if (!steered) return fail(steered.error());
      return {};
    });
  }
  store::Course course(store::DeliveryKey key) {
    return read([key](store::ReadTransaction& t) { return t.delivery_head(key); }).course;
  }
  std::vector<store::HeldReceiver> held() {
    return read([](store::ReadTransaction& t) { return t.held_receivers(100); });
  }
  // "kind: whose: why" of what its owner was told.
  std::vector<std::string> told() {
    const auto page = read([this](store::ReadTransaction& t) {
      return t.events(
          {.account = account_,
           .limit = 1'000,
           .kinds = {store::EventKind::protection_warned, store::EventKind::protection_paused,
                     store::EventKind::protection_resumed}});
    });
    std::vector<std::string> told;
    for (const store::EventRecord& event : page.events) {
      told.push_back(fmt::format("{}: {}: {}", to_string(event.entry.kind),
                                 event.entry.credential->name, event.entry.credential->because));
    }
    return told;
  }

  TestStore store_;
  boost::asio::io_context context_;
  std::deque<Metrics> metrics_;
  store::AccountKey account_{};
  store::NodeKey node_{};
  std::string mx_host_;            // that answers
  std::vector<std::string> tags_;  // of bulk
  std::map<store::DeliveryKey, std::vector<store::RecipientKey>> next_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(WatcherTest, ABulkOfDeadAddressesIsWarnedOfAndPaused) {
  const auto key = bulk(400, "example.jp");
  take(key, 189);
  bounce(key, 10);
  turn();
  EXPECT_THAT(told(), IsEmpty()) << "of fewer than 200 nothing is said";
  bounce(key, 1);
  turn();
  EXPECT_EQ(course(key), store::Course::goes);
  EXPECT_THAT(
      told(),
      ElementsAre("protection_warned: account: hard bounces: 11 of 200 (5.5 %); the limit is 5 %",
                  "protection_warned: sender domain sender.example: hard bounces: 11 of 200 "
                  "(5.5 %); the limit is 5 %",
                  "protection_warned: receiver others: hard bounces: 11 of 200 (5.5 %); the limit "
                  "is 5 %",
                  "protection_warned: delivery 1: hard bounces: 11 of 200 (5.5 %); the limit is "
                  "5 %"));
  bounce(key, 12);
  turn();
  EXPECT_EQ(course(key), store::Course::paused);
  ASSERT_THAT(told(), SizeIs(7));
  EXPECT_THAT(told()[4], HasSubstr("protection_paused: account: hard bounces: 23 of 212"));
  EXPECT_THAT(told(), Not(Contains(HasSubstr("protection_paused: receiver"))));
  EXPECT_THAT(held(), IsEmpty()) << "others are no receiver where it could be held back";
  turn();
  EXPECT_THAT(told(), SizeIs(7)) << "once";
}

TEST_F(WatcherTest, WhoResumesBeginsToCountAnew) {
  const auto key = bulk(1'000, "example.jp");
  take(key, 180);
  bounce(key, 60);
  turn();
  ASSERT_EQ(course(key), store::Course::paused);
  resume(key);
  EXPECT_EQ(course(key), store::Course::goes);
  take(key, 150);
  turn();
  EXPECT_EQ(course(key), store::Course::goes) << "what was counted before counts no more";
  bounce(key, 49);
  turn();
  EXPECT_EQ(course(key), store::Course::goes) << "199 are too few";
  bounce(key, 1);
  turn();
  EXPECT_EQ(course(key), store::Course::paused);
}

TEST_F(WatcherTest, RefusalsThatSayNothingOfTheAddressDoNotCount) {
  const auto key = bulk(400, "example.jp");
  bounce(key, 400, Cause::reputation);
  turn();
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(WatcherTest, ALaterBulkOfAHeldAccountWaitsFromItsStart) {
  const auto first = bulk(400, "example.jp");
  bounce(first, 200);
  turn();
  const auto second = bulk(10, "example.com");
  turn();
  EXPECT_EQ(course(second), store::Course::paused);
  EXPECT_THAT(told().back(), HasSubstr("protection_paused: delivery 2 of "));
  resume(second);
  turn();
  EXPECT_EQ(course(second), store::Course::goes);
  EXPECT_EQ(course(first), store::Course::paused) << "each is resumed by itself";
  const auto third = bulk(10, "example.com");
  turn();
  EXPECT_EQ(course(third), store::Course::goes) << "the account is not held any more";
}

TEST_F(WatcherTest, UnknownUsersAtOneReceiverHoldADeliveryThere) {
  const auto key = bulk(400, "docomo.ne.jp");
  take(key, 90);
  bounce(key, 10);
  turn();
  EXPECT_EQ(course(key), store::Course::goes);
  EXPECT_THAT(held(), ElementsAre(store::HeldReceiver{key, "docomo"}));
  EXPECT_THAT(told(), ElementsAre("protection_paused: delivery 1 at docomo: unknown users: 10 of "
                                  "100 (10 %); the limit is 10 %"));
  resume(key);
  EXPECT_THAT(held(), IsEmpty());
  EXPECT_THAT(told().back(), HasSubstr("protection_resumed: delivery 1 at docomo"));
}

TEST_F(WatcherTest, ForWhatADeliveryWasHeldAtAReceiverTheReceiverIsNotHeldLater) {
  const auto key = bulk(1'000, "docomo.ne.jp");
  take(key, 80);
  bounce(key, 22);
  turn();
  ASSERT_THAT(held(), ElementsAre(store::HeldReceiver{key, "docomo"}));
  resume(key);
  EXPECT_EQ(counted_at("docomo"), OutcomeCounts{});
  take(key, 98);
  turn();
  EXPECT_THAT(held(), IsEmpty()) << "22 of 200 are above the limit, and all of them are old";
  EXPECT_EQ(course(key), store::Course::goes) << "they do not count for the delivery either";
  bounce(key, 22);
  turn();
  EXPECT_THAT(held(), ElementsAre(store::HeldReceiver{key, "docomo"})) << "new ones count";
}

TEST_F(WatcherTest, WhatNoRuleNamesIsHeldBackNowhere) {
  const auto good = bulk(1'000, "docomo.ne.jp");
  take(good, 500);
  take(good, 500);
  const auto beside = bulk(10, "example.com");
  const auto bad = bulk(400, "example.jp");
  take(bad, 180);
  bounce(bad, 20);
  turn();
  EXPECT_THAT(told(),
              ElementsAre("protection_warned: receiver others: hard bounces: 20 of 200 (10 %); the "
                          "limit is 5 %",
                          "protection_paused: delivery 3: hard bounces: 20 of 200 (10 %); the "
                          "limit is 10 %"));
  EXPECT_EQ(course(bad), store::Course::paused);
  EXPECT_EQ(course(beside), store::Course::goes);
  EXPECT_THAT(held(), IsEmpty());
}

TEST_F(WatcherTest, ComplaintsCountAtTheReceiverThatTookTheMail) {
  const auto key = bulk(1'001, "example.jp");
  const std::vector<store::RecipientKey> to = next_[key];
  mx_host_ = "mx.outlook.example";
  take(key, 500);
  take(key, 500);
  turn();
  ASSERT_THAT(told(), IsEmpty());
  complain(std::span(to).last(3));
  turn();
  EXPECT_EQ(
      counted_at("outlook"),
      (OutcomeCounts{.answered = 1'000, .delivered = 1'000, .reporting = 1'000, .complained = 3}));
  EXPECT_EQ(counted_at(Receiver::kOthers), OutcomeCounts{});
  EXPECT_THAT(told(), Contains("protection_paused: receiver outlook: complaints: 3 of 1000 (0.3 %);"
                               " the limit is 0.3 %"));
}

TEST_F(WatcherTest, AMailThatCameBackCountsOnceAtTheReceiverThatTookIt) {
  const auto key = bulk(100, "example.jp");
  const std::vector<store::RecipientKey> to = next_[key];
  mx_host_ = "mx.outlook.example";
  take(key, 10);
  turn();
  come_back(std::span(to).last(2));
  turn();
  EXPECT_EQ(counted_at("outlook"),
            (OutcomeCounts{
                .answered = 10, .delivered = 10, .reporting = 10, .hard = 2, .unknown_users = 2}));
  EXPECT_EQ(counted_at(Receiver::kOthers), OutcomeCounts{});
}

TEST_F(WatcherTest, MailOfAnyTypeIsCountedByItsTags) {
  tags_ = {"news", "spring", "news"};
  const auto key = bulk(3, "docomo.ne.jp");
  take(key, 2);
  bounce(key, 1);
  tags_.clear();
  take(bulk(1, "docomo.ne.jp"), 1);
  transaction({"order", "news"});
  transaction({});
  turn();
  EXPECT_THAT(counted_by_tag(), ElementsAre("news 4/3/1", "order 1/1/0", "spring 3/2/1"));
  EXPECT_EQ(counted_at("docomo").answered, 4) << "of bulk alone, as before";
  begin();
  transaction({"order"});
  turn();
  EXPECT_THAT(counted_by_tag(), ElementsAre("news 4/3/1", "order 2/2/0", "spring 3/2/1"));
  store_.clock.advance(24h);
  EXPECT_THAT(counted_by_tag(), IsEmpty());
}

TEST_F(WatcherTest, TagsBeyondSoManyADayAreOne) {
  for (std::int64_t i = 0; i < store::kTagsCountedMax + 5; ++i) {
    transaction({fmt::format("order {:04}", i)});
    // Who goes on in the middle knows what was counted before.
    if (i == store::kTagsCountedMax - 3) {
      turn();
      begin();
    }
  }
  transaction({"order 0000"});
  turn();
  const auto counted = counted_by_tag();
  ASSERT_EQ(std::ssize(counted), store::kTagsCountedMax + 1);
  EXPECT_EQ(counted[0], " 5/5/0") << "all others";
  EXPECT_EQ(counted[1], "order 0000 2/2/0");
}

// Of the day before, which is not read to its end.
TEST_F(WatcherTest, WhoTakesOverAtMidnightKnowsTheTagsOfEachDayByThemselves) {
  transaction({"yesterday"});
  turn();
  const Instant before = store_.store->clock().now();
  transaction({"late"});  // is read after midnight
  store_.clock.advance(24h);
  begin();
  for (std::int64_t i = 0; i < store::kTagsCountedMax; ++i) {
    transaction({fmt::format("today {:04}", i)});
  }
  turn();
  begin();
  TagNames names;
  const TagNames::Day day{account_, store::tag_day(before)};
  read([&](store::ReadTransaction& t) -> Result<std::int64_t> {
    const auto learnt = names.learn(t, day);
    if (!learnt) return fail(learnt.error());
    return 0;
  });
  EXPECT_EQ(names.name_of(day, "another"), "another") << "that day has few";
}

TEST_F(WatcherTest, NothingIsCountedTwiceWhoeverReads) {
  const auto key = bulk(400, "example.jp");
  bounce(key, 100);
  turn();
  watcher_.reset();  // as its process dies
  node_ = write([](store::WriteTransaction& t) { return t.enter_node({.name = "a"}); });
  begin();
  bounce(key, 99);
  turn();
  EXPECT_THAT(told(), IsEmpty()) << "199";
  bounce(key, 1);
  turn();
  EXPECT_EQ(course(key), store::Course::paused);
}

TEST_F(WatcherTest, AnAccountMayHaveLimitsOfItsOwn) {
  write([this](store::WriteTransaction& t) {
    return t.put_setting(store::rate_limits_setting(account_),
                         delivery::policy::pack({.bounces_minimum = 10}));
  });
  const auto key = bulk(400, "example.jp");
  bounce(key, 10);
  turn();
  EXPECT_EQ(course(key), store::Course::paused);
}

store::EventRecord event_of(store::EventKind kind) {
  store::EventRecord event{.account = store::AccountKey{1}, .address = "a@hotmail.example"};
  event.entry.kind = kind;
  event.entry.delivery = store::DeliveryKey{5};
  return event;
}

OutcomeCounts counted(const Tally& tally, std::string_view receiver) {
  for (const store::RateIncrement& each : tally.increments()) {
    const bool is_its =
        each.subject.scope == store::RateScope::receiver && each.subject.name == receiver;
    if (is_its) return each.counts;
  }
  return {};
}

TEST(ProtectionTally, AComplaintIsOfTheReceiverThatTookTheMail) {
  const Receivers receivers = receiver_of;
  Tally tally(receivers);
  store::EventRecord complaint = event_of(store::EventKind::complained);
  complaint.was_sent = true;
  complaint.taken = std::make_shared<const Path>(Path{.mx_host = "mx.outlook.example"});
  tally.add(complaint, "sender.example");
  EXPECT_EQ(counted(tally, "outlook"), OutcomeCounts{.complained = 1});
  EXPECT_EQ(counted(tally, Receiver::kOthers), OutcomeCounts{});
}

TEST(ProtectionTally, AMailThatCameBackWasAnsweredBeforeIfItWasSent) {
  const Receivers receivers = receiver_of;
  Tally tally(receivers);
  store::EventRecord back = event_of(store::EventKind::hard_error);
  back.entry.cause = Cause::mailbox;
  back.taken = std::make_shared<const Path>(Path{.mx_host = "mx.outlook.example"});
  back.was_sent = true;
  tally.add(back, "sender.example");
  EXPECT_EQ(counted(tally, "outlook"), (OutcomeCounts{.hard = 1, .unknown_users = 1}));
  back.was_sent = false;  // of whom it was unknown what had become of it
  tally.add(back, "sender.example");
  EXPECT_EQ(counted(tally, "outlook"),
            (OutcomeCounts{.answered = 1, .hard = 2, .unknown_users = 2}));
}

TEST(ProtectionTally, ComplaintsAreMeasuredWhereTheyAreReported) {
  store::EventRecord event{.account = store::AccountKey{1}, .address = "a@yahoo.example"};
  event.entry.kind = store::EventKind::sent;
  event.entry.delivery = store::DeliveryKey{5};
  const Receivers receivers = receiver_of;
  Tally tally(receivers);
  tally.add(event, "sender.example");
  event.address = "b@docomo.ne.jp";
  tally.add(event, "sender.example");
  const auto increments = tally.increments();
  ASSERT_FALSE(increments.empty());
  EXPECT_EQ(increments[0].subject, store::RateSubject{.account = store::AccountKey{1}});
  EXPECT_EQ(increments[0].counts, (OutcomeCounts{.answered = 2, .delivered = 2, .reporting = 1}));
  EXPECT_THAT(tally.subjects(), SizeIs(7)) << "receivers, and the delivery there, apart";
}

}  // namespace
}  // namespace todoku::events::protection
