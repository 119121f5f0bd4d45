// SPDX-License-Identifier: Apache-2.0
// Events (store/events.h): each operation writes what it makes true, readers find all of it in
// order, once, and from any place.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <gmock/gmock.h>

#include "base/random.h"
#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using enum EventKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

EventPage page_of(Store& store, const EventQuestion& question) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.events(question); }));
}

// Page by page, as a client reads them.
std::vector<EventRecord> all_of(Store& store, EventQuestion question) {
  std::vector<EventRecord> events;
  for (bool more = true; more;) {
    EventPage page = page_of(store, question);
    EXPECT_LE(std::ssize(page.events), question.limit);
    EXPECT_FALSE(page.lost);
    for (EventRecord& event : page.events) events.push_back(std::move(event));
    EXPECT_TRUE(!page.more || page.next != question.after) << "it stands still";
    question.after = page.next;
    question.after_account = page.next_account;
    more = page.more;
  }
  return events;
}

std::vector<EventRecord> events_of(Store& store, AccountKey account, std::int64_t limit = 3) {
  return all_of(store, {.account = account, .limit = limit});
}

std::vector<EventKind> kinds_of(const std::vector<EventRecord>& events) {
  std::vector<EventKind> kinds;
  for (const EventRecord& event : events) kinds.push_back(event.entry.kind);
  return kinds;
}

std::vector<EventPlace> places_of(const std::vector<EventRecord>& events) {
  std::vector<EventPlace> places;
  for (const EventRecord& event : events) places.push_back(event.place);
  return places;
}

TEST_P(StoreSuite, WhatAReaderDidIsToldWithTheAddressAndWithoutAnOutcome) {
  const Account acme = account();
  const Accepted accepted = accept(acme.key, {recipient("one"), recipient("two")});
  const BatchKey batch = accepted.batches[0].key;
  record({outcome(batch, 1, RecipientState::delivered)});
  must(store_->write_and_wait(
      WritePriority::outcomes, [&](WriteTransaction& writer) -> Result<void> {
        writer.tell_of_recipient(complained, acme.key, {batch.delivery, batch.batch, 1});
        return {};
      }));
  const auto events = all_of(*store_, {.account = acme.key, .kinds = {complained}});
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].address, "two@example.jp");
  EXPECT_EQ(events[0].entry.at, now());
  EXPECT_EQ(events[0].delivery->id, accepted.delivery.id);
  EXPECT_EQ(events[0].reply, "");
  EXPECT_EQ(events[0].path->mx_host, "");
  EXPECT_EQ(events[0].taken->mx_host, "mx1.example.jp") << "who took it";
  EXPECT_TRUE(events[0].was_sent);
  EXPECT_EQ(events_of(*store_, acme.key).back().entry.kind, complained);
}

TEST_P(StoreSuite, AnAcceptedMailTellsOfEachRecipient) {
  const Account acme = account();
  const Accepted accepted = accept(acme.key, {recipient("one"), recipient("two", "example.com")});
  const auto events = events_of(*store_, acme.key, 1);
  EXPECT_THAT(kinds_of(events), ElementsAre(EventKind::accepted, EventKind::accepted));
  EXPECT_EQ(events[0].address, "one@example.jp");
  EXPECT_EQ(events[1].address, "two@example.com");
  EXPECT_EQ(events[1].log_id, events[0].log_id + 1);
  for (const EventRecord& event : events) {
    EXPECT_EQ(event.account, acme.key);
    EXPECT_EQ(event.entry.at, now());
    EXPECT_EQ(event.entry.delivery, accepted.delivery.key);
    EXPECT_EQ(event.delivery->id, accepted.delivery.id);
    EXPECT_EQ(event.delivery->type, DeliveryType::transaction);
    EXPECT_EQ(event.delivery->subject, accepted.content.subject);
    EXPECT_FALSE(event.is_gone);
    EXPECT_EQ(event.stage, Stage::none);
  }
  EXPECT_EQ(events[0].log_id, stories("one@example.jp").at(0).email_id);
}

TEST_P(StoreSuite, EventsOfTrialsAreMarked) {
  const Account acme = account();
  const Account trial =
      must(write([](WriteTransaction& t) { return t.create_account("trial", true); }));
  accept(acme.key, {recipient("one")});
  accept(trial.key, {recipient("two")});
  EXPECT_FALSE(events_of(*store_, acme.key, 1).at(0).delivery->sandbox);
  EXPECT_TRUE(events_of(*store_, trial.key, 1).at(0).delivery->sandbox);
}

TEST_P(StoreSuite, AMailThatWaitsIsAcceptedWhenItIsStored) {
  const Account acme = account();
  const auto waiting = [&](AccountKey owner) {
    return must(write([&](WriteTransaction& t) -> Result<Delivery> {
      auto made = t.create_draft(transaction(owner), kDraftsMax);
      if (!made) return made;
      const auto ids = t.append_recipients(
          made->key, std::vector{recipient("to"), recipient("cc", "example.com")});
      if (!ids) return fail(ids.error());
      const auto done = t.commit_draft(made->key, after(60), {});
      if (!done) return fail(done.error());
      return made;
    }));
  };
  const Delivery made = waiting(acme.key);
  const auto events = events_of(*store_, acme.key, 1);
  EXPECT_THAT(kinds_of(events), ElementsAre(EventKind::accepted, EventKind::accepted));
  EXPECT_THAT((std::set{events[0].address, events[1].address}),
              ElementsAre("cc@example.com", "to@example.jp"));
  EXPECT_EQ(events[0].entry.delivery, made.key);
  EXPECT_EQ(events[0].log_id, stories(events[0].address).at(0).email_id);
  clock_.advance(std::chrono::seconds(60));
  must(write([&](WriteTransaction& t) { return t.start_delivery(made.key, "s1", kLifeTime); }));
  EXPECT_THAT(kinds_of(events_of(*store_, acme.key)),
              ElementsAre(EventKind::accepted, EventKind::accepted, delivery_started));

  const Account other = account("other");
  const Delivery given_up = waiting(other.key);
  must(write([&](WriteTransaction& t) { return t.fail_delivery(given_up.key, "cancelled"); }));
  EXPECT_THAT(
      kinds_of(events_of(*store_, other.key)),
      ElementsAre(EventKind::accepted, EventKind::accepted, cancelled, cancelled, delivery_failed));
}

TEST_P(StoreSuite, AnOutcomeTellsWhatTheReceiverSaid) {
  const Account acme = account();
  const Accepted accepted = accept(acme.key, {recipient("one")});
  const BatchKey batch = accepted.batches.at(0).key;
  settle({deferral(batch, 0, after(60))});
  clock_.advance(std::chrono::seconds(61));
  OutcomeRecord sent_now = outcome(batch, 0, RecipientState::delivered);
  sent_now.age = Milliseconds(1'500);
  settle({sent_now});
  const auto events = events_of(*store_, acme.key);
  ASSERT_THAT(kinds_of(events),
              ElementsAre(EventKind::accepted, deferred, sent, delivery_finished));
  EXPECT_EQ(events[1].entry.attempt, 1);
  EXPECT_EQ(events[1].entry.code, 451);
  EXPECT_EQ(events[1].reply, "4.7.1 Greylisted, try again");
  EXPECT_EQ(events[1].stage, Stage::rcpt_to);
  EXPECT_EQ(events[2].entry.attempt, 2);
  EXPECT_EQ(events[2].entry.at, now() - Milliseconds(1'500));
  EXPECT_EQ(events[2].reply, "2.0.0 Ok: queued");
  EXPECT_EQ(events[2].path->mx_host, "mx1.example.jp");
  EXPECT_EQ(events[2].path->egress_source, "pool-a");
  EXPECT_EQ(events[3].entry.recipients, 1);
  EXPECT_EQ(events[3].delivery->id, accepted.delivery.id);
}

TEST_P(StoreSuite, AMailThatCameBackTellsWhoHadTakenIt) {
  const Account acme = account();
  const BatchKey batch = accept(acme.key, {recipient("one"), recipient("two")}).batches.at(0).key;
  record({outcome(batch, 0, RecipientState::delivered),
          outcome(batch, 1, RecipientState::bounced, 550, "5.1.1 unknown")});
  clock_.advance(std::chrono::seconds(61));
  OutcomeRecord back = outcome(batch, 0, RecipientState::bounced, 550, "5.1.1 unknown");
  back.outcome.is_attempt = false;
  back.path = {};
  record({back});
  const auto events = all_of(*store_, {.account = acme.key, .kinds = {hard_error}});
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_FALSE(events[0].was_sent);
  EXPECT_EQ(events[0].path->mx_host, "mx1.example.jp");
  EXPECT_TRUE(events[1].was_sent);
  EXPECT_EQ(events[1].path->mx_host, "");
  EXPECT_EQ(events[1].taken->mx_host, "mx1.example.jp");
}

TEST_P(StoreSuite, EveryEndHasItsKind) {
  const Account acme = account();
  const Delivery sending = started(acme.key, recipients(8, "example.jp"));
  const BatchKey batch = claim_all(sending.key).at(0).key;
  OutcomeRecord never_tried = outcome(batch, 7, RecipientState::expired, 0, "its time is over");
  never_tried.outcome.is_attempt = false;
  settle({outcome(batch, 0, RecipientState::delivered),
          outcome(batch, 1, RecipientState::bounced, 550, "5.1.1 No such user"),
          outcome(batch, 2, RecipientState::dropped, 0, "suppressed"),
          outcome(batch, 3, RecipientState::expired, 451, "4.7.1 later"),
          outcome(batch, 4, RecipientState::cancelled, 0, "withdrawn"),
          outcome(batch, 5, RecipientState::unknown, 0, "connection lost"),
          deferral(batch, 6, after(60)), never_tried});
  const auto events = events_of(*store_, acme.key);
  EXPECT_THAT(kinds_of(events), ElementsAre(delivery_started, sent, hard_error, dropped, soft_error,
                                            cancelled, EventKind::unknown, deferred, expired));
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_EQ(events[i].entry.seq, i - 1);
}

TEST_P(StoreSuite, WhatComesTooLateIsNoEvent) {
  const Account acme = account();
  const BatchKey batch = accept(acme.key, {recipient("one")}).batches.at(0).key;
  settle({outcome(batch, 0, RecipientState::delivered)});
  EXPECT_EQ(record({outcome(batch, 0, RecipientState::bounced, 550, "5.1.1 no")}).superseded, 1);
  EXPECT_THAT(kinds_of(events_of(*store_, acme.key)),
              ElementsAre(EventKind::accepted, sent, delivery_finished));
  // A bounce message after all.
  OutcomeRecord message = outcome(batch, 0, RecipientState::bounced, 550, "5.1.1 no");
  message.outcome.is_attempt = false;
  settle({message});
  EXPECT_THAT(kinds_of(events_of(*store_, acme.key)),
              ElementsAre(EventKind::accepted, sent, delivery_finished, hard_error));
}

TEST_P(StoreSuite, WhatHappensToManyIsOneEvent) {
  const Account acme = account();
  started(acme.key, recipients(120, "example.jp"));
  started(acme.key, {});
  const Delivery failing = draft(acme.key);
  append(failing.key, recipients(2, "example.jp"));
  must(write([&](WriteTransaction& t) -> Result<void> {
    must(t.commit_draft(failing.key, std::nullopt, {}));
    return t.fail_delivery(failing.key, "no key");
  }));
  const auto events = events_of(*store_, acme.key);
  EXPECT_THAT(kinds_of(events),
              ElementsAre(delivery_started, delivery_started, delivery_finished, delivery_failed));
  EXPECT_EQ(events[0].entry.recipients, 120);
  EXPECT_EQ(events[1].entry.recipients, 0);
  EXPECT_EQ(events[3].entry.recipients, 2);
  EXPECT_EQ(events[3].delivery->id, failing.id);
  EXPECT_EQ(events[3].delivery->type, DeliveryType::bulk);
}

TEST_P(StoreSuite, AnImportThatEndedSaysHowManyItAdded) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto import = [&] {
    const ImportJob job =
        must(write([&](WriteTransaction& t) { return t.create_import(made.key, {}, me_); }));
    must(store_->perform_and_wait(StageRows{.job = job.id,
                                            .account = acme.key,
                                            .node = me_,
                                            .recipients = recipients(7, "example.jp")}));
    return job;
  };
  const ImportJob good = import();
  must(write([&](WriteTransaction& t) {
    return t.end_import(good.id, acme.key,
                        {.status = ImportStatus::finished, .success_count = 7, .total_count = 7},
                        me_);
  }));
  const ImportJob bad = import();
  must(write([&](WriteTransaction& t) {
    return t.end_import(bad.id, acme.key, {.status = ImportStatus::system_error}, me_);
  }));
  const auto events = events_of(*store_, acme.key);
  ASSERT_THAT(kinds_of(events), ElementsAre(import_ended, import_ended));
  EXPECT_EQ(events[0].entry.job, good.id);
  EXPECT_EQ(events[0].entry.recipients, 7);
  EXPECT_EQ(events[1].entry.job, bad.id);
  EXPECT_EQ(events[1].entry.recipients, 0);
}

TEST_P(StoreSuite, WhoIsInDoubtIsAnEventAndEndsItsDelivery) {
  const Account acme = account();
  NewDelivery once = bulk(acme.key);
  once.at_most_once = true;
  const Delivery sending = started(once, recipients(1, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  must(write([&](WriteTransaction& t) { return t.mark_on_its_way(lease.held(), 0, true); }));
  EXPECT_EQ(bury(me_).unknown, 1);
  const auto events = events_of(*store_, acme.key);
  ASSERT_THAT(kinds_of(events),
              ElementsAre(delivery_started, EventKind::unknown, delivery_finished));
  EXPECT_EQ(events[1].entry.cause, Cause::in_doubt);
  EXPECT_FALSE(events[1].reply.empty());
}

TEST_P(StoreSuite, WhatWasUndoneIsNoEvent) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto refused = write([&](WriteTransaction& t) -> Result<void> {
    must(t.commit_draft(made.key, std::nullopt, {}));
    must(t.start_delivery(made.key, "", kLifeTime));
    return fail(ErrorKind::conflict, "on second thoughts");
  });
  EXPECT_EQ(error_of(refused), "conflict");
  EXPECT_THAT(events_of(*store_, acme.key), IsEmpty());
  EXPECT_EQ(error_of(store_->perform_and_wait(acceptance(AccountKey{987}, {recipient("one")}))),
            "not_found");
  accept(acme.key, {recipient("one")});
  EXPECT_THAT(events_of(*store_, acme.key), SizeIs(1));
}

TEST_P(StoreSuite, EventsAreOnePerPlaceAndCanBeReadOnFromEach) {
  const Account acme = account();
  const Account other = account("other");
  for (int i = 0; i < 4; ++i) {
    const BatchKey batch = accept(acme.key, {recipient("one"), recipient("two")}).batches.at(0).key;
    accept(other.key, {recipient("three")});
    settle({outcome(batch, 0, RecipientState::delivered)});
  }
  const auto all = places_of(events_of(*store_, acme.key, 1'000));
  ASSERT_THAT(all, SizeIs(12));
  EXPECT_TRUE(std::ranges::is_sorted(all, std::less_equal<>()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto rest = all_of(*store_, {.account = acme.key, .after = all[i], .limit = 2});
    EXPECT_EQ(places_of(rest),
              std::vector(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()));
  }
  // The whole installation, by whatever pages.
  for (const std::int64_t limit : {1, 2, 5, 100}) {
    const auto everywhere = all_of(*store_, {.limit = limit});
    EXPECT_THAT(everywhere, SizeIs(16)) << limit;
    std::vector<EventPlace> its;
    for (const EventRecord& event : everywhere) {
      if (event.account == acme.key) its.push_back(event.place);
    }
    EXPECT_EQ(its, all) << limit;
  }
  const EventPlace last = must(read([](ReadTransaction& t) { return t.last_event_place(); }));
  EXPECT_LE(all.back(), last);
  EXPECT_THAT(all_of(*store_, {.account = acme.key, .after = last}), IsEmpty());
  accept(acme.key, {recipient("four")});
  EXPECT_THAT(all_of(*store_, {.account = acme.key, .after = last}), SizeIs(1));
}

TEST_P(StoreSuite, WhomSomethingHappenedToIsToldBetweenTwoPlaces) {
  const auto last = [&] {
    return must(read([](ReadTransaction& t) { return t.last_event_place(); }));
  };
  const auto told = [&](const EventPlace& after, const EventPlace& until, std::int64_t most) {
    return must(read([&](ReadTransaction& t) { return t.accounts_told(after, until, most); }));
  };
  const Account quiet = account("quiet");
  const Account acme = account("acme");
  const Account busy = account("busy");
  accept(quiet.key, {recipient("one")});
  const EventPlace first = last();
  accept(busy.key, {recipient("one"), recipient("two")});
  accept(acme.key, {recipient("one")});
  accept(busy.key, {recipient("one")});
  const EventPlace second = last();
  EXPECT_THAT(told(first, second, 3), Optional(ElementsAre(acme.key, busy.key)));
  EXPECT_EQ(told(first, second, 2), std::nullopt);
  EXPECT_THAT(told(second, second, 1), Optional(IsEmpty()));
  accept(quiet.key, {recipient("two")});
  EXPECT_THAT(told(first, second, 3), Optional(ElementsAre(acme.key, busy.key)));
  EXPECT_THAT(told(second, last(), 3), Optional(ElementsAre(quiet.key)));
  EXPECT_THAT(told(EventPlace{}, last(), 10), Optional(ElementsAre(quiet.key, acme.key, busy.key)));
}

TEST_P(StoreSuite, ConditionsLeaveEventsOut) {
  const Account acme = account();
  const Accepted first = accept(acme.key, {recipient("one"), recipient("two")});
  const Accepted second = accept(acme.key, {recipient("one")});
  settle({outcome(first.batches.at(0).key, 1, RecipientState::bounced, 550, "5.1.1 no")});
  const auto found = [&](EventQuestion question) {
    question.account = acme.key;
    return kinds_of(all_of(*store_, std::move(question)));
  };
  EXPECT_THAT(found({.limit = 1, .kinds = {hard_error, sent}}), ElementsAre(hard_error));
  EXPECT_THAT(found({.limit = 1, .delivery = second.delivery.key}),
              ElementsAre(EventKind::accepted));
  EXPECT_THAT(found({.limit = 1, .address = "TWO@example.jp"}),
              ElementsAre(EventKind::accepted, hard_error));
  EXPECT_THAT(found({.limit = 1, .address = "one@example.jp"}),
              ElementsAre(EventKind::accepted, EventKind::accepted));
  EXPECT_THAT(found({.limit = 5, .kinds = {sent}, .address = "one@example.jp"}), IsEmpty());
}

TEST_P(StoreSuite, EventsHaveTheLabelsOfTheirDeliveryAndAreFoundByTag) {
  const Account acme = account();
  const auto accept_with = [&](Labels labels) {
    Accept mail = acceptance(acme.key, {recipient("one")});
    mail.delivery.labels = std::move(labels);
    return must(store_->perform_and_wait(std::move(mail)));
  };
  const Accepted spring = accept_with({{"spring", "東京"}, "weekly", Purpose::notice});
  const Accepted plain = accept_with({});
  const auto found = [&](const std::string& tag) {
    return all_of(*store_, {.account = acme.key, .limit = 1, .tag = tag});
  };
  const auto events = found("東京");
  ASSERT_THAT(kinds_of(events), ElementsAre(EventKind::accepted));
  EXPECT_EQ(events[0].entry.delivery, spring.delivery.key);
  EXPECT_EQ(events[0].delivery->labels, (Labels{{"spring", "東京"}, "weekly", Purpose::notice}));
  EXPECT_THAT(found("spri"), IsEmpty());
  EXPECT_THAT(found("spring\n東京"), IsEmpty());
  EXPECT_EQ(events_of(*store_, acme.key).at(1).delivery->labels, Labels{});
  must(write([&](WriteTransaction& t) { return t.delete_delivery(spring.delivery.key); }));
  EXPECT_THAT(found("spring"), IsEmpty());
  EXPECT_EQ(events_of(*store_, acme.key).at(0).delivery->labels, Labels{});
}

TEST_P(StoreSuite, OfWhatWasDeletedTheEventIsLeft) {
  const Account acme = account();
  const Accepted accepted = accept(acme.key, {recipient("one")});
  settle({outcome(accepted.batches.at(0).key, 0, RecipientState::delivered)});
  const auto is_gone = [&] {
    const auto events = events_of(*store_, acme.key);
    EXPECT_THAT(kinds_of(events), ElementsAre(EventKind::accepted, sent, delivery_finished));
    for (const EventRecord& event : events) {
      EXPECT_TRUE(event.is_gone);
      EXPECT_EQ(event.delivery->id, 0);
      EXPECT_EQ(event.address, "");
      EXPECT_EQ(event.reply, "");
    }
  };
  must(write([&](WriteTransaction& t) { return t.delete_delivery(accepted.delivery.key); }));
  is_gone();
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(100); }))) {
  }
  is_gone();
  EXPECT_THAT(all_of(*store_, {.account = acme.key, .address = "one@example.jp"}), IsEmpty());
}

TEST_P(StoreSuite, OldEventsGoAndWhoHadNotReadThemIsTold) {
  const Account acme = account();
  for (int i = 0; i < 5; ++i) accept(acme.key, {recipient("old")});
  const auto old = events_of(*store_, acme.key);
  clock_.advance(std::chrono::hours(2));
  for (int i = 0; i < 3; ++i) accept(acme.key, {recipient("young")});
  const Instant before = now() - std::chrono::hours(1);
  const auto drop = [&] {
    return must(write([&](WriteTransaction& t) { return t.drop_events(before, 2); },
                      WritePriority::retention));
  };
  EXPECT_TRUE(drop());
  EXPECT_THAT(events_of(*store_, acme.key), SizeIs(6)) << "so many a piece";
  while (drop()) {
  }
  const auto left = events_of(*store_, acme.key);
  EXPECT_THAT(left, SizeIs(3));
  const EventPage late = page_of(*store_, {.account = acme.key, .after = old[0].place});
  EXPECT_TRUE(late.lost);
  EXPECT_EQ(places_of(late.events), places_of(left));
  EXPECT_FALSE(page_of(*store_, {.account = acme.key, .after = left[0].place}).lost);
  reopen();
  EXPECT_THAT(events_of(*store_, acme.key), SizeIs(3));
  // Whatever is deleted, no place is used again.
  clock_.advance(std::chrono::hours(3));
  must(write([&](WriteTransaction& t) { return t.drop_events(now(), 100); }));
  const EventPlace last = must(read([](ReadTransaction& t) { return t.last_event_place(); }));
  EXPECT_LE(left.back().place, last);
  accept(acme.key, {recipient("next")});
  EXPECT_LT(last, events_of(*store_, acme.key).at(0).place);
}

TEST_P(StoreSuite, WhoWasQuietIsToldOnceThatEventsAreGone) {
  const Account quiet = account("quiet");
  accept(quiet.key, {recipient("old")});
  const EventPlace old = events_of(*store_, quiet.key).at(0).place;
  const Account acme = account("acme");
  for (int i = 0; i < 3; ++i) accept(acme.key, {recipient("other")});
  clock_.advance(std::chrono::hours(2));
  must(write([&](WriteTransaction& t) { return t.drop_events(now(), 100); }));
  const EventPage told = page_of(*store_, {.account = quiet.key, .after = old});
  EXPECT_TRUE(told.lost);
  EXPECT_THAT(told.events, IsEmpty());
  EXPECT_FALSE(page_of(*store_, {.account = quiet.key, .after = told.next}).lost);
  accept(quiet.key, {recipient("young")});
  EXPECT_THAT(page_of(*store_, {.account = quiet.key, .after = told.next}).events, SizeIs(1));
}

// Who has little to hear goes on from where all has been read, and not from its last event, which
// retention passes long before it hears of another.
TEST_P(StoreSuite, WhoHasHeardAllGoesOnBehindWhatOthersHear) {
  const Account quiet = account("quiet");
  const Account busy = account("busy");
  accept(quiet.key, {recipient("one")});
  for (int i = 0; i < 5; ++i) accept(busy.key, {recipient("other")});
  const EventPage all = page_of(*store_, {.account = quiet.key, .limit = 10});
  EXPECT_THAT(all.events, SizeIs(1));
  EXPECT_FALSE(all.more);
  EXPECT_EQ(all.next, must(read([](ReadTransaction& t) { return t.last_event_place(); })));
  const EventPage none =
      page_of(*store_, {.account = busy.key, .limit = 10, .kinds = {EventKind::delivery_stopped}});
  EXPECT_THAT(none.events, IsEmpty());
  EXPECT_EQ(none.next, all.next);
  const EventPage part = page_of(*store_, {.account = busy.key, .limit = 2});
  EXPECT_EQ(part.next, part.events.back().place) << "something follows";

  clock_.advance(std::chrono::hours(1));
  must(write([&](WriteTransaction& t) { return t.drop_events(now(), 100); }));
  EXPECT_FALSE(page_of(*store_, {.account = quiet.key, .after = all.next}).lost);
  EXPECT_TRUE(page_of(*store_, {.account = quiet.key, .after = all.events[0].place}).lost);
  accept(quiet.key, {recipient("one")});
  EXPECT_THAT(page_of(*store_, {.account = quiet.key, .after = all.next}).events, SizeIs(1));
}

TEST_P(StoreSuite, EventsSurviveACrashUnderTheirNames) {
  const Account acme = account();
  const BatchKey batch = accept(acme.key, {recipient("one")}).batches.at(0).key;
  settle({outcome(batch, 0, RecipientState::delivered)});
  const auto before = places_of(events_of(*store_, acme.key));
  crash();
  EXPECT_EQ(places_of(events_of(*store_, acme.key)), before);
  accept(acme.key, {recipient("two")});
  const auto after = places_of(events_of(*store_, acme.key));
  ASSERT_THAT(after, SizeIs(before.size() + 1));
  EXPECT_TRUE(std::ranges::equal(std::span(after).first(before.size()), before));
}

TEST_P(StoreSuite, EventsOfAnotherGenerationComeAfterThoseBefore) {
  const Account acme = account();
  accept(acme.key, {recipient("one")});
  const auto before = events_of(*store_, acme.key);
  must(write([](WriteTransaction& t) { return t.begin_event_generation(); }));
  const EventPlace last = must(read([](ReadTransaction& t) { return t.last_event_place(); }));
  EXPECT_LT(before.back().place, last);
  accept(acme.key, {recipient("two")});
  const auto events = events_of(*store_, acme.key);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].place, before[0].place);
  EXPECT_EQ(events[1].place.generation, events[0].place.generation + 1);
  EXPECT_LT(last, events[1].place);
}

// ---- the counts of a delivery are those of its events -------------------------------------------

RecipientState state_after(EventKind kind) {
  switch (kind) {
    case deferred:
      return RecipientState::deferred;
    case sent:
      return RecipientState::delivered;
    case hard_error:
      return RecipientState::bounced;
    case dropped:
      return RecipientState::dropped;
    case soft_error:
    case expired:
      return RecipientState::expired;
    case cancelled:
      return RecipientState::cancelled;
    case EventKind::unknown:
      return RecipientState::unknown;
    default:
      return RecipientState::pending;
  }
}

// What a reader knows of one delivery that has read nothing but events.
struct Replayed {
  std::map<std::pair<std::uint32_t, std::uint32_t>, RecipientState> states;
  std::int64_t told = 0;  // recipients, by its start or its acceptance
  int started = 0;
  int finished = 0;
  std::string fault;

  void take(const EventRecord& event, bool is_bulk) {
    const SheetEntry& entry = event.entry;
    if (is_bulk && started == 0 && entry.kind != delivery_started) fault = "before its start";
    if (entry.kind == delivery_started) {
      ++started;
      told = entry.recipients;
    } else if (entry.kind == delivery_finished) {
      ++finished;
      if (open() > 0) fault = "it is finished before its recipients";
    } else if (entry.kind == EventKind::accepted) {
      ++told;
      if (states.contains({entry.batch, entry.seq})) fault = "accepted after an outcome";
    } else {
      // A last word may still be changed: a bounce after all, an end of a doubt.
      RecipientState& state = states[{entry.batch, entry.seq}];
      if (finished > 0 && !is_terminal(state)) fault = "an outcome after its end";
      state = state_after(entry.kind);
    }
  }
  [[nodiscard]] std::int64_t count(RecipientState state) const {
    return std::ranges::count_if(states, [&](const auto& each) { return each.second == state; });
  }
  [[nodiscard]] std::int64_t open() const {
    return told -
           std::ranges::count_if(states, [](const auto& each) { return is_terminal(each.second); });
  }
};

void expect_same(const Replayed& replayed, const Delivery& delivery) {
  EXPECT_EQ(replayed.fault, "");
  EXPECT_EQ(replayed.told, delivery.counts.total);
  EXPECT_EQ(replayed.count(RecipientState::delivered), delivery.counts.delivered);
  EXPECT_EQ(replayed.count(RecipientState::bounced), delivery.counts.bounced);
  EXPECT_EQ(replayed.count(RecipientState::dropped), delivery.counts.dropped);
  EXPECT_EQ(replayed.count(RecipientState::expired), delivery.counts.expired);
  EXPECT_EQ(replayed.count(RecipientState::cancelled), delivery.counts.cancelled);
  EXPECT_EQ(replayed.count(RecipientState::unknown), delivery.counts.unknown);
  EXPECT_EQ(replayed.count(RecipientState::deferred), delivery.counts.deferred);
  EXPECT_EQ(replayed.finished, delivery.status == DeliveryStatus::sent ? 1 : 0);
}

TEST_P(StoreSuite, TheCountsOfADeliveryAreThoseOfItsEvents) {
  constexpr int kSteps = 150;
  SeededRandom random(20'261'128);
  const std::vector<Account> accounts{account("one"), account("two")};
  std::vector<std::pair<BatchKey, std::uint32_t>> batches;  // and how many it has
  std::set<DeliveryKey> bulks;
  const std::vector states{RecipientState::deferred,  RecipientState::delivered,
                           RecipientState::delivered, RecipientState::bounced,
                           RecipientState::dropped,   RecipientState::expired,
                           RecipientState::cancelled, RecipientState::unknown};
  const auto random_outcome = [&] {
    const auto& [batch, size] = batches[random.below(batches.size())];
    const auto seq = static_cast<std::uint32_t>(random.below(size));
    const RecipientState state = states[random.below(states.size())];
    OutcomeRecord made = state == RecipientState::deferred ? deferral(batch, seq, after(60))
                                                           : outcome(batch, seq, state, 250);
    made.outcome.is_attempt = random.below(4) > 0;
    return made;
  };
  for (int step = 0; step < kSteps; ++step) {
    const AccountKey owner = accounts[random.below(accounts.size())].key;
    const std::uint64_t what = random.below(10);
    if (what == 0 || batches.empty()) {
      const auto size = static_cast<std::uint32_t>(1 + random.below(4));
      const auto made = accept(owner, recipients(size, "example.jp"));
      batches.emplace_back(made.batches.at(0).key, size);
    } else if (what == 1) {
      const auto size = static_cast<std::uint32_t>(1 + random.below(9));
      const Delivery made = started(owner, recipients(size, "example.jp"));
      batches.emplace_back(claim_all(made.key).at(0).key, size);
      bulks.insert(made.key);
    } else {
      std::vector<OutcomeRecord> outcomes;
      for (std::uint64_t i = 0; i <= random.below(6); ++i) outcomes.push_back(random_outcome());
      settle(outcomes);
      clock_.advance(std::chrono::seconds(1));
    }
  }
  std::map<DeliveryKey, Replayed> replayed;
  for (const Account& owner : accounts) {
    for (const EventRecord& event : events_of(*store_, owner.key, 7)) {
      replayed[event.entry.delivery].take(event, bulks.contains(event.entry.delivery));
    }
  }
  std::set<DeliveryKey> all;
  for (const auto& [batch, size] : batches) all.insert(batch.delivery);
  EXPECT_EQ(replayed.size(), all.size());
  for (const DeliveryKey key : all) {
    SCOPED_TRACE(static_cast<std::int64_t>(key));
    expect_same(replayed[key], get(key));
  }
}

}  // namespace
}  // namespace todoku::store
