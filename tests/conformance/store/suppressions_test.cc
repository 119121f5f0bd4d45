// SPDX-License-Identifier: Apache-2.0
// Suppression lists: what their entries stop, when they are asked, and how hard errors come to be
// on them.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

NewSuppression manual(AccountKey account, std::string_view subject) {
  return {.account = account, .subject = std::string(subject)};
}

NewSuppression opt_out(AccountKey account, std::string_view subject) {
  NewSuppression entry = manual(account, subject);
  entry.reason = StopReason::unsubscribe;
  entry.scope = StopScope::advertisements;
  return entry;
}

NewSuppression left_list(AccountKey account, std::string_view subject, std::string_view list) {
  NewSuppression entry = manual(account, subject);
  entry.reason = StopReason::unsubscribe;
  entry.scope = StopScope::list;
  entry.list_id = list;
  return entry;
}

PutSuppressions put_some(Store& store, const std::vector<NewSuppression>& entries) {
  return must(store.write_and_wait(
      WritePriority::accept, [&](WriteTransaction& t) { return t.put_suppressions(entries); }));
}

// How many are new.
std::int64_t put(Store& store, const std::vector<NewSuppression>& entries) {
  const PutSuppressions done = put_some(store, entries);
  EXPECT_THAT(done.refused, IsEmpty());
  return done.made;
}

std::vector<StoppedSubject> stops(Store& store, AccountKey account,
                                  const std::vector<std::string>& subjects) {
  return must(
      store.read_and_wait([&](ReadTransaction& t) { return t.stops_of(account, subjects); }));
}

std::vector<std::string> listed(Store& store, AccountKey account, std::int64_t limit = 100) {
  std::vector<std::string> subjects;
  std::optional<SuppressionPlace> place;
  do {
    const auto page = must(store.read_and_wait(
        [&](ReadTransaction& t) { return t.suppressions(account, place, limit); }));
    for (const Suppression& entry : page.entries) subjects.push_back(entry.subject);
    place = page.next;
  } while (place);
  return subjects;
}

SuppressionPage errors(Store& store, AccountKey account, bool newest_first = true,
                       std::int64_t skip = 0, std::int64_t limit = 100) {
  const ErrorListFilter filter{
      .account = account, .from = {}, .until = {}, .newest_first = newest_first};
  return must(store.read_and_wait(
      [&](ReadTransaction& t) { return t.error_list(filter, std::nullopt, skip, limit); }));
}

bool is_stopped(Store& store, AccountKey account, std::string_view local) {
  return !stops(store, account, {std::string(local) + "@example.jp"}).empty();
}

TEST_P(StoreSuite, LabelsStayWithADelivery) {
  const Account acme = account();
  NewDelivery wanted = bulk(acme.key);
  wanted.labels = {{"spring", "東京"}, "weekly", Purpose::notice};
  const Delivery made =
      must(write([&](WriteTransaction& t) { return t.create_draft(wanted, kDraftsMax); }));
  EXPECT_EQ(get(made.key).labels, wanted.labels);
  must(write([&](WriteTransaction& t) {
    DraftChange change;
    change.tags = std::vector<std::string>{"summer"};
    return t.change_draft(made.key, change);
  }));
  EXPECT_EQ(get(made.key).labels, (Labels{{"summer"}, "weekly", Purpose::notice}));
  Accept mail = acceptance(acme.key, recipients(1, "example.jp"));
  mail.delivery.labels = {{"reset"}, "", Purpose::transactional};
  const auto accepted = must(store_->perform_and_wait(std::move(mail)));
  EXPECT_THAT(get(accepted.delivery.key).labels.tags, ElementsAre("reset"));
}

TEST_P(StoreSuite, WhoIsStoppedIsDroppedInTheCommitThatAccepts) {
  const Account acme = account();
  put(*store_, {manual(acme.key, "user1@example.jp")});
  const Accepted accepted = accept(acme.key, recipients(3, "example.jp"));
  ASSERT_THAT(accepted.batches, SizeIs(1));
  ASSERT_THAT(accepted.batches[0].recipients, SizeIs(2));
  EXPECT_EQ(accepted.batches[0].recipients[0].seq, 0U);
  EXPECT_EQ(accepted.batches[0].recipients[1].seq, 2U);
  EXPECT_EQ(accepted.delivery.counts.dropped, 1);
  EXPECT_EQ(get(accepted.delivery.key).counts.dropped, 1);
  const Story story = stories("user1@example.jp").at(0);
  EXPECT_EQ(story.state, RecipientState::dropped);
  ASSERT_THAT(story.attempts, SizeIs(1));
  EXPECT_EQ(story.attempts[0].outcome.reply.code, kSuppressedCode);
  EXPECT_EQ(story.attempts[0].outcome.cause, Cause::suppressed);
  EXPECT_THAT(story.attempts[0].outcome.reply.text, HasSubstr("by hand"));
  EXPECT_EQ(story.attempts[0].at, now());
  settle({outcome(accepted.batches[0].key, 0, RecipientState::delivered),
          outcome(accepted.batches[0].key, 2, RecipientState::delivered)});
  EXPECT_EQ(get(accepted.delivery.key).status, DeliveryStatus::sent);
}

TEST_P(StoreSuite, ATransactionOfWhichNobodyIsLeftIsOver) {
  const Account acme = account();
  put(*store_, {manual(acme.key, "user0@example.jp"), manual(acme.key, "user1@example.jp")});
  for (const bool held : {true, false}) {
    Accept mail = acceptance(acme.key, recipients(2, "example.jp"));
    if (!held) mail.holder = kNobody;
    const auto accepted = must(store_->perform_and_wait(std::move(mail)));
    EXPECT_THAT(accepted.batches, IsEmpty());
    EXPECT_THAT(accepted.waiting, IsEmpty());
    const Delivery stored = get(accepted.delivery.key);
    EXPECT_EQ(stored.status, DeliveryStatus::sent);
    EXPECT_EQ(stored.finished, now());
    EXPECT_EQ(stored.counts.dropped, 2);
  }
  EXPECT_THAT(due_transactional(), IsEmpty());
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.queue_figures(); })).at(0).waiting, 0);
}

TEST_P(StoreSuite, OfBulkWhoIsStoppedIsDroppedByTheClaim) {
  const Account acme = account();
  const Delivery sending = started(acme.key, recipients(3, "example.jp"));
  put(*store_, {manual(acme.key, "user0@example.jp")});
  EXPECT_EQ(get(sending.key).counts.dropped, 0) << "nobody has asked yet";
  const auto leased = claim_all(sending.key);
  ASSERT_THAT(leased, SizeIs(1));
  ASSERT_THAT(leased[0].recipients, SizeIs(2));
  EXPECT_EQ(leased[0].recipients[0].seq, 1U);
  EXPECT_EQ(get(sending.key).counts.dropped, 1);
  EXPECT_EQ(stories("user0@example.jp").at(0).state, RecipientState::dropped);
  settle({outcome(leased[0].key, 1, RecipientState::delivered),
          outcome(leased[0].key, 2, RecipientState::delivered)},
         {{.held = leased[0].held()}});
  EXPECT_EQ(get(sending.key).status, DeliveryStatus::sent);
}

TEST_P(StoreSuite, AClaimThatDropsTheLastOnesEndsTheDelivery) {
  const Account acme = account();
  const Delivery sending = started(acme.key, recipients(2, "example.jp"));
  put(*store_, {manual(acme.key, "@example.jp")});
  EXPECT_THAT(claim_all(sending.key), IsEmpty());
  const Delivery over = get(sending.key);
  EXPECT_EQ(over.status, DeliveryStatus::sent);
  EXPECT_EQ(over.counts.dropped, 2);
  EXPECT_EQ(over.finished, now());
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
}

// Nobody has had it, so that no connection knows of additions since.
TEST_P(StoreSuite, ATransactionThatNobodyHasHadForLongIsAskedOnceMore) {
  const Account acme = account();
  Accept mail = acceptance(acme.key, recipients(2, "example.jp"));
  mail.holder = kNobody;
  const auto accepted = must(store_->perform_and_wait(std::move(mail)));
  ASSERT_THAT(accepted.waiting, SizeIs(1));
  put(*store_, {manual(acme.key, "user1@example.jp")});
  clock_.advance(kAskedAgainAfter);
  const auto leased = claim(me_, accepted.waiting);
  ASSERT_THAT(leased, SizeIs(1));
  ASSERT_THAT(leased[0].recipients, SizeIs(1));
  EXPECT_EQ(leased[0].recipients[0].seq, 0U);
  EXPECT_EQ(get(accepted.delivery.key).counts.dropped, 1);
}

// It was asked for nobody when it was stored.
TEST_P(StoreSuite, ATransactionThatWaitedForItsTimeIsAskedWhenItGoes) {
  const Account acme = account();
  const auto waiting = [&](std::size_t count, std::string_view domain) {
    return must(write([&](WriteTransaction& t) -> Result<Delivery> {
      auto made = t.create_draft(transaction(acme.key), std::nullopt);
      if (!made) return made;
      const auto ids = t.append_recipients(made->key, recipients(count, domain));
      if (!ids) return fail(ids.error());
      auto done = t.commit_draft(made->key, after(60), {});
      if (!done) return fail(std::move(done.error()));
      return made;
    }));
  };
  const Delivery some = waiting(2, "example.jp");
  const Delivery all = waiting(1, "example.com");
  put(*store_, {manual(acme.key, "user1@example.jp"), manual(acme.key, "user0@example.com")});
  const auto at_last = std::chrono::seconds(60);
  ASSERT_LT(at_last, kAskedAgainAfter) << "else it would be asked for its age";
  clock_.advance(at_last);
  for (const DeliveryKey key : {some.key, all.key}) {
    must(write([&](WriteTransaction& t) { return t.start_delivery(key, "s1", kLifeTime); }));
  }
  const auto leased = claim_all(some.key);
  ASSERT_THAT(leased, SizeIs(1));
  ASSERT_THAT(leased[0].recipients, SizeIs(1));
  EXPECT_EQ(leased[0].recipients[0].seq, 0U);
  EXPECT_EQ(get(some.key).counts.dropped, 1);
  EXPECT_EQ(stories("user1@example.jp").at(0).state, RecipientState::dropped);
  EXPECT_THAT(claim_all(all.key), IsEmpty());
  EXPECT_EQ(get(all.key).status, DeliveryStatus::sent) << "nobody is left";
}

// What a list stops takes from what a stop has counted as cancelled, once.
TEST_P(StoreSuite, WhatIsStoppedAndSuppressedCountsOnce) {
  const Account acme = account();
  const Delivery sending = started(acme.key, recipients(3, "example.jp"));
  const auto in_hand = claim_all(sending.key);
  ASSERT_THAT(in_hand, SizeIs(1));
  put(*store_, {manual(acme.key, "user0@example.jp")});
  must(write([&](WriteTransaction& t) { return t.steer_delivery(sending.key, Course::stopped); }));
  settle({{.key = {sending.key, in_hand[0].key.batch, 0},
           .outcome = dropped_for(StopReason::manual),
           .path = {}}},
         {{.held = in_hand[0].held()}});
  const DeliveryCounts counts = get(sending.key).counts;
  EXPECT_EQ(counts.dropped, 1);
  EXPECT_EQ(counts.cancelled, 2);
  EXPECT_EQ(counts.terminal(), counts.total);
  EXPECT_THAT(claim_all(sending.key), IsEmpty()) << "nothing is asked of it any more";
}

TEST_P(StoreSuite, WhoWasDeferredAndIsStoppedSinceIsNotTriedAgain) {
  const Account acme = account();
  for (const bool is_bulk : {true, false}) {
    const std::string local = is_bulk ? "ada" : "bob";
    BatchKey key;
    DeliveryKey delivery{};
    HeldBatch held;
    if (is_bulk) {
      const Delivery sending = started(acme.key, {recipient(local), recipient("zoe")});
      const auto leased = claim_all(sending.key);
      key = leased.at(0).key;
      held = leased.at(0).held();
      delivery = sending.key;
    } else {
      const Accepted accepted = accept(acme.key, {recipient(local), recipient("zoe")});
      key = accepted.batches.at(0).key;
      held = accepted.batches.at(0).held();
      delivery = accepted.delivery.key;
    }
    settle({deferral(key, 0, after(60)), deferral(key, 1, after(60))}, {{.held = held}});
    put(*store_, {manual(acme.key, local + "@example.jp")});
    clock_.advance(std::chrono::seconds(61));
    const auto again = claim(me_, {key});
    ASSERT_THAT(again, SizeIs(1));
    ASSERT_THAT(again[0].recipients, SizeIs(1));
    EXPECT_EQ(again[0].recipients[0].seq, 1U);
    const Delivery now_is = get(delivery);
    EXPECT_EQ(now_is.counts.dropped, 1);
    EXPECT_EQ(now_is.counts.deferred, 1);
    const Story story = stories(local + "@example.jp").at(0);
    EXPECT_EQ(story.state, RecipientState::dropped);
    EXPECT_THAT(story.attempts, SizeIs(2)) << "what it was before stays in its story";
  }
}

// Everything that happened to an account's mails, in order: the kind, who, attempts, code, words.
std::vector<std::string> told(Store& store, AccountKey account) {
  const EventPage page = must(store.read_and_wait(
      [&](ReadTransaction& t) { return t.events({.account = account, .limit = 1'000}); }));
  std::vector<std::string> told;
  for (const EventRecord& event : page.events) {
    std::string line = fmt::format("{} {}", to_string(event.entry.kind), event.delivery->id);
    if (is_of_many(event.entry.kind)) {
      line += fmt::format(" {}", event.entry.recipients);
    } else {
      line += fmt::format(" {} {}", event.address.substr(0, event.address.find('@')), event.log_id);
    }
    if (event.entry.kind == EventKind::dropped) {
      line += fmt::format(" {} {} {}", event.entry.attempt, event.entry.code,
                          event.reply == dropped_for(StopReason::manual).reply.text);
    }
    told.push_back(std::move(line));
  }
  return told;
}

std::vector<LogHit> not_sent(Store& store, AccountKey account, LogKey key) {
  return must(store.read_and_wait(
      [&](ReadTransaction& t) { return t.not_sent(account, key, {1, 1'000'000}, 100); }));
}

constexpr LogKey kDropped{LogKey::By::state, static_cast<int>(RecipientState::dropped)};
constexpr LogKey kDeferred{LogKey::By::state, static_cast<int>(RecipientState::deferred)};

TEST_P(StoreSuite, WhoIsDroppedWhenItIsAcceptedHasEventsAndIsInTheLog) {
  const Account acme = account();
  put(*store_, {manual(acme.key, "ada@example.jp"), manual(acme.key, "bob@example.jp")});
  accept(acme.key, {recipient("ada"), recipient("zoe")});
  accept(acme.key, {recipient("bob")});
  EXPECT_THAT(
      told(*store_, acme.key),
      ElementsAre("accepted 1 ada 1", "accepted 1 zoe 2", "dropped 1 ada 1 0 554 true",
                  "accepted 2 bob 3", "dropped 2 bob 3 0 554 true", "delivery_finished 2 1"));
  const auto hits = not_sent(*store_, acme.key, kDropped);
  ASSERT_THAT(hits, SizeIs(2));
  EXPECT_EQ(hits[0].id, 3);
  EXPECT_EQ(hits[0].code, kSuppressedCode);
  EXPECT_EQ(hits[1].id, 1);
  EXPECT_THAT(not_sent(*store_, acme.key, {LogKey::By::code, kSuppressedCode}), SizeIs(2));
  const auto usage = must(read([&](ReadTransaction& t) { return t.usages(acme.key, 0, 999'999); }));
  ASSERT_THAT(usage, SizeIs(1));
  EXPECT_EQ(usage[0].mails, 3) << "a mail counts whatever becomes of it";
}

TEST_P(StoreSuite, WhoIsDroppedByTheClaimHasEventsAndIsInTheLog) {
  const Account acme = account();
  // Of more than fits into one octet of a stored event.
  const Delivery sending = started(acme.key, recipients(300, "example.jp"));
  const auto leased = claim_all(sending.key);
  std::vector<OutcomeRecord> outcomes;
  for (const LeasedBatch& lease : leased) {
    for (const LeasedRecipient& each : lease.recipients) {
      outcomes.push_back(deferral(lease.key, each.seq, after(60)));
    }
  }
  std::vector<BatchRelease> releases;
  for (const LeasedBatch& lease : leased) releases.push_back({.held = lease.held()});
  settle(outcomes, releases);
  const std::size_t before = told(*store_, acme.key).size();
  put(*store_, {manual(acme.key, "@example.jp")});
  clock_.advance(std::chrono::seconds(61));
  std::vector<BatchKey> keys;
  for (const LeasedBatch& lease : leased) keys.push_back(lease.key);
  EXPECT_THAT(claim(me_, keys), IsEmpty());
  auto since = told(*store_, acme.key);
  since.erase(since.begin(), since.begin() + static_cast<std::ptrdiff_t>(before));
  ASSERT_THAT(since, SizeIs(301));
  EXPECT_EQ(since.back(), fmt::format("delivery_finished {} 300", sending.id));
  since.pop_back();
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    expected.push_back(fmt::format("dropped {} user{} {} 1 554 true", sending.id, i, i + 1));
  }
  EXPECT_THAT(since, ::testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(not_sent(*store_, acme.key, kDeferred), IsEmpty());
  EXPECT_THAT(not_sent(*store_, acme.key, kDropped), SizeIs(100));
  EXPECT_EQ(get(sending.key).counts.deferred, 0);
  const Story story = stories("user299@example.jp").at(0);
  ASSERT_THAT(story.attempts, SizeIs(2));
  EXPECT_EQ(story.attempts[1].at, now());
}

TEST_P(StoreSuite, WhoseLifeIsOverEndsSoWhoeverIsStopped) {
  const Account acme = account();
  const Delivery sending = started(acme.key, {recipient("ada")});
  put(*store_, {manual(acme.key, "ada@example.jp")});
  clock_.advance(std::chrono::hours(24 * 30));
  EXPECT_THAT(claim_all(sending.key), SizeIs(1)) << "to be recorded as expired";
}

TEST_P(StoreSuite, AnOptOutStopsAdvertisementsAndNothingElse) {
  const Account acme = account();
  put(*store_, {opt_out(acme.key, "ada@example.jp")});
  EXPECT_THAT(accept(acme.key, {recipient("ada")}).batches, SizeIs(1)) << "a password reset";
  const auto goes_to_ada = [&](Labels labels) {
    NewDelivery wanted = bulk(acme.key);
    wanted.labels = std::move(labels);
    const Delivery sending = started(wanted, {recipient("ada")});
    return !claim_all(sending.key).empty();
  };
  EXPECT_FALSE(goes_to_ada({}));
  EXPECT_FALSE(goes_to_ada({{}, "weekly", Purpose::advertisement}));
  EXPECT_TRUE(goes_to_ada({{}, "", Purpose::notice}));
  EXPECT_TRUE(goes_to_ada({{}, "", Purpose::transactional}));
  Accept ad = acceptance(acme.key, {recipient("ada")});
  ad.delivery.labels.purpose = Purpose::advertisement;
  EXPECT_EQ(must(store_->perform_and_wait(std::move(ad))).delivery.counts.dropped, 1);
}

TEST_P(StoreSuite, WhoLeftAListGetsNothingOfItButTransactionalMail) {
  const Account acme = account();
  put(*store_, {left_list(acme.key, "ada@example.jp", "weekly")});
  const auto goes_to_ada = [&](Labels labels) {
    NewDelivery wanted = bulk(acme.key);
    wanted.labels = std::move(labels);
    const Delivery sending = started(wanted, {recipient("ada")});
    return !claim_all(sending.key).empty();
  };
  EXPECT_FALSE(goes_to_ada({{}, "weekly", Purpose::by_type}));
  EXPECT_FALSE(goes_to_ada({{}, "weekly", Purpose::notice}));
  EXPECT_TRUE(goes_to_ada({{}, "weekly", Purpose::transactional}));
  EXPECT_TRUE(goes_to_ada({{}, "monthly", Purpose::by_type}));
  EXPECT_TRUE(goes_to_ada({}));
}

TEST_P(StoreSuite, AddressesAreComparedWithoutCaseAndDomainsExactly) {
  const Account acme = account();
  put(*store_, {manual(acme.key, "ada@example.jp"), manual(acme.key, "@example.org")});
  EXPECT_EQ(accept(acme.key, {recipient("ADA")}).delivery.counts.dropped, 1);
  EXPECT_EQ(accept(acme.key, {recipient("anybody", "example.org")}).delivery.counts.dropped, 1);
  EXPECT_EQ(accept(acme.key, {recipient("anybody", "sub.example.org")}).delivery.counts.dropped, 0);
  EXPECT_EQ(accept(acme.key, {recipient("adam")}).delivery.counts.dropped, 0);
  // One batch of several domains, too.
  const auto mixed = accept(
      acme.key, {recipient("ada"), recipient("x", "example.org"), recipient("y", "example.net")});
  EXPECT_EQ(mixed.delivery.counts.dropped, 2);
  const Delivery sending = started(
      acme.key, {recipient("ada"), recipient("x", "example.org"), recipient("y", "example.net")});
  EXPECT_THAT(claim_all(sending.key).at(0).recipients, SizeIs(1));
}

TEST_P(StoreSuite, EveryAccountHasItsOwnListAndTheInstallationOneForAll) {
  const Account acme = account();
  const Account other = account("other");
  put(*store_, {manual(acme.key, "user0@example.jp"), manual(kInstallation, "user1@example.jp")});
  EXPECT_EQ(accept(acme.key, recipients(3, "example.jp")).delivery.counts.dropped, 2);
  EXPECT_EQ(accept(other.key, recipients(3, "example.jp")).delivery.counts.dropped, 1);
  EXPECT_THAT(listed(*store_, acme.key), ElementsAre("user0@example.jp"));
  EXPECT_THAT(listed(*store_, other.key), IsEmpty());
  EXPECT_THAT(listed(*store_, kInstallation), ElementsAre("user1@example.jp"));
  EXPECT_THAT(must(write([&](WriteTransaction& t) {
                return t.remove_suppressions(other.key, "user0@example.jp", {}, {}, "", "test");
              })),
              IsEmpty());
}

TEST_P(StoreSuite, WhatExpiresStopsNothingAnyMoreAndIsRemoved) {
  const Account acme = account();
  NewSuppression entry = manual(acme.key, "user0@example.jp");
  entry.lasts = std::chrono::seconds(60);
  put(*store_, {entry, manual(acme.key, "user1@example.jp")});
  EXPECT_EQ(accept(acme.key, recipients(1, "example.jp")).delivery.counts.dropped, 1);
  clock_.advance(std::chrono::seconds(60));
  EXPECT_EQ(accept(acme.key, recipients(1, "example.jp")).delivery.counts.dropped, 0);
  EXPECT_THAT(stops(*store_, acme.key, {"user0@example.jp"}), IsEmpty());
  EXPECT_THAT(listed(*store_, acme.key), ElementsAre("user1@example.jp"));
  EXPECT_FALSE(must(write([](WriteTransaction& t) { return t.purge_deleted(1'000); })));
  EXPECT_EQ(put(*store_, {entry}), 1) << "it is a new one";
}

TEST_P(StoreSuite, TheSecondHardErrorWithinTwoWeeksStopsAnAddressForTwoWeeks) {
  const Account acme = account();
  fail_for_good(acme.key, "ada");
  EXPECT_FALSE(is_stopped(*store_, acme.key, "ada"));
  EXPECT_THAT(errors(*store_, acme.key).entries, IsEmpty());
  EXPECT_THAT(listed(*store_, acme.key), IsEmpty()) << "it stops nothing yet";
  clock_.advance(std::chrono::hours(14 * 24 - 1));
  fail_for_good(acme.key, "ada");
  ASSERT_TRUE(is_stopped(*store_, acme.key, "ada"));
  const Suppression entry = errors(*store_, acme.key).entries.at(0);
  EXPECT_EQ(entry.subject, "ada@example.jp");
  EXPECT_EQ(entry.reason, StopReason::hard_error);
  EXPECT_EQ(entry.scope, StopScope::all);
  EXPECT_EQ(entry.cause.code, 550);
  EXPECT_EQ(entry.cause.text, "5.1.1 no such user here");
  EXPECT_EQ(entry.cause.at, now());
  const Story story = stories("ada@example.jp").at(0);
  EXPECT_EQ(entry.cause.delivery_id, story.delivery_id);
  EXPECT_EQ(entry.cause.email_id, story.email_id);
  EXPECT_EQ(entry.expires, now() + std::chrono::hours(14 * 24));
  EXPECT_EQ(accept(acme.key, {recipient("ada")}).delivery.counts.dropped, 1);
  clock_.advance(std::chrono::hours(14 * 24));
  EXPECT_EQ(accept(acme.key, {recipient("ada")}).delivery.counts.dropped, 0);
  fail_for_good(acme.key, "ada");
  EXPECT_FALSE(is_stopped(*store_, acme.key, "ada")) << "it is counted from the beginning";
}

TEST_P(StoreSuite, HardErrorsFarApartStopNobody) {
  const Account acme = account();
  fail_for_good(acme.key, "ada");
  clock_.advance(std::chrono::hours(14 * 24 + 1));
  fail_for_good(acme.key, "ada");
  EXPECT_FALSE(is_stopped(*store_, acme.key, "ada"));
}

TEST_P(StoreSuite, WhatDoesNotSpeakAgainstAnAddressDoesNotCount) {
  const Account acme = account();
  for (int i = 0; i < 3; ++i) fail_for_good(acme.key, "ada", false);
  EXPECT_FALSE(is_stopped(*store_, acme.key, "ada"));
}

TEST_P(StoreSuite, TheRuleIsWhatTheSettlementSays) {
  const Account acme = account();
  fail_for_good(acme.key, "ada", true,
                {.errors = 1, .within = std::chrono::hours(1), .lasts = Milliseconds(0)});
  ASSERT_TRUE(is_stopped(*store_, acme.key, "ada"));
  EXPECT_EQ(errors(*store_, acme.key).entries.at(0).expires, std::nullopt);
  fail_for_good(acme.key, "bob", true, {.errors = 0});
  fail_for_good(acme.key, "bob", true, {.errors = 0});
  EXPECT_FALSE(is_stopped(*store_, acme.key, "bob"));
}

TEST_P(StoreSuite, TwoCopiesOfOneMailAreOneError) {
  const Account acme = account();
  const Delivery sending = started(acme.key, {recipient("ada"), recipient("ada")});
  const LeasedBatch lease = claim_all(sending.key).at(0);
  std::vector<OutcomeRecord> both;
  for (const std::uint32_t seq : {0U, 1U}) {
    both.push_back(outcome(lease.key, seq, RecipientState::bounced, 550, "5.1.1 no"));
    both.back().against_address = true;
  }
  settle(both);
  EXPECT_FALSE(is_stopped(*store_, acme.key, "ada"));
}

TEST_P(StoreSuite, ErrorsOfTwoDeliveriesInOneSettlementStopToo) {
  const Account acme = account();
  std::vector<OutcomeRecord> both;
  for (int i = 0; i < 2; ++i) {
    const Accepted accepted = accept(acme.key, {recipient("ada")});
    both.push_back(
        outcome(accepted.batches.at(0).key, 0, RecipientState::bounced, 550, "5.1.1 no"));
    both.back().against_address = true;
  }
  settle(both);
  EXPECT_TRUE(is_stopped(*store_, acme.key, "ada"));
}

// Somebody's own word on an address that fails: of that reason, for advertisements, for long.
NewSuppression known_dead(AccountKey account, std::string_view subject) {
  return {.account = account,
          .subject = std::string(subject),
          .reason = StopReason::hard_error,
          .scope = StopScope::advertisements,
          .note = "says the old system",
          .lasts = std::chrono::hours(3'650 * 24)};
}

TEST_P(StoreSuite, OneHardErrorChangesNothingOfWhatSomebodyPut) {
  const Account acme = account();
  put(*store_, {known_dead(acme.key, "ada@example.jp")});
  const Instant until = now() + std::chrono::hours(3'650 * 24);
  clock_.advance(std::chrono::hours(1));
  fail_for_good(acme.key, "ada");
  const Suppression entry = stops(*store_, acme.key, {"ada@example.jp"}).at(0).entry;
  EXPECT_EQ(entry.scope, StopScope::advertisements);
  EXPECT_EQ(entry.note, "says the old system");
  EXPECT_EQ(entry.expires, until);
  EXPECT_EQ(entry.cause.code, 550) << "but it tells of it";
  EXPECT_EQ(accept(acme.key, {recipient("ada")}).delivery.counts.dropped, 0) << "a password reset";
}

TEST_P(StoreSuite, AfterTwoHardErrorsBothHoldWhatSomebodyPutAndTheStop) {
  const Account acme = account();
  NewSuppression brief = known_dead(acme.key, "bob@example.jp");
  brief.lasts = std::chrono::hours(24);
  NewSuppression for_good = known_dead(acme.key, "cyd@example.jp");
  for_good.lasts = std::nullopt;
  put(*store_, {known_dead(acme.key, "ada@example.jp"), brief, for_good});
  const Instant put_at = now();
  for (int i = 0; i < 2; ++i) {
    clock_.advance(std::chrono::hours(1));
    for (const std::string_view local : {"ada", "bob", "cyd"}) fail_for_good(acme.key, local);
  }
  const auto entry = [&](std::string_view local) {
    return stops(*store_, acme.key, {std::string(local) + "@example.jp"}).at(0).entry;
  };
  for (const std::string_view local : {"ada", "bob", "cyd"}) {
    EXPECT_EQ(entry(local).scope, StopScope::all) << local;
    EXPECT_EQ(entry(local).note, "says the old system") << local;
    EXPECT_EQ(entry(local).created, put_at) << local;
  }
  EXPECT_EQ(entry("ada").expires, put_at + std::chrono::hours(3'650 * 24));
  EXPECT_EQ(entry("bob").expires, now() + std::chrono::hours(14 * 24));
  EXPECT_EQ(entry("cyd").expires, std::nullopt);
  EXPECT_EQ(accept(acme.key, {recipient("ada")}).delivery.counts.dropped, 1);
}

TEST_P(StoreSuite, HardErrorsFarApartDoNotWidenWhatSomebodyPut) {
  const Account acme = account();
  put(*store_, {known_dead(acme.key, "ada@example.jp")});
  for (int i = 0; i < 3; ++i) {
    fail_for_good(acme.key, "ada");
    clock_.advance(std::chrono::hours(14 * 24 + 1));
  }
  EXPECT_EQ(stops(*store_, acme.key, {"ada@example.jp"}).at(0).entry.scope,
            StopScope::advertisements);
}

TEST_P(StoreSuite, AHardErrorThatCameBeforeCountsForWhatSomebodyPutThen) {
  const Account acme = account();
  fail_for_good(acme.key, "ada");
  clock_.advance(std::chrono::hours(1));
  put(*store_, {known_dead(acme.key, "ada@example.jp")});
  EXPECT_EQ(stops(*store_, acme.key, {"ada@example.jp"}).at(0).entry.cause.code, 550);
  fail_for_good(acme.key, "ada");
  EXPECT_EQ(stops(*store_, acme.key, {"ada@example.jp"}).at(0).entry.scope, StopScope::all);
  // But not one of an entry that has expired.
  fail_for_good(acme.key, "bob");
  clock_.advance(std::chrono::hours(14 * 24));
  put(*store_, {known_dead(acme.key, "bob@example.jp")});
  EXPECT_EQ(stops(*store_, acme.key, {"bob@example.jp"}).at(0).entry.cause.code, 0);
  fail_for_good(acme.key, "bob");
  EXPECT_EQ(stops(*store_, acme.key, {"bob@example.jp"}).at(0).entry.scope,
            StopScope::advertisements);
}

TEST_P(StoreSuite, AThirdHardErrorProlongsTheStop) {
  const Account acme = account();
  const Accepted late = accept(acme.key, {recipient("ada")});
  for (int i = 0; i < 2; ++i) fail_for_good(acme.key, "ada");
  clock_.advance(std::chrono::hours(24));
  OutcomeRecord third =
      outcome(late.batches.at(0).key, 0, RecipientState::bounced, 550, "5.1.1 no");
  third.against_address = true;
  settle({third});
  EXPECT_EQ(errors(*store_, acme.key).entries.at(0).expires, now() + std::chrono::hours(14 * 24));
}

TEST_P(StoreSuite, RemovingTellsWhoDidItAndWhy) {
  const Account acme = account();
  put(*store_, {opt_out(acme.key, "ada@example.jp"), manual(acme.key, "ada@example.jp"),
                left_list(acme.key, "ada@example.jp", "weekly")});
  EXPECT_THAT(stops(*store_, acme.key, {"ada@example.jp"}), SizeIs(3));
  const auto removed = must(write([&](WriteTransaction& t) {
    return t.remove_suppressions(acme.key, "ada@example.jp", StopReason::unsubscribe, "",
                                 "asked for it by telephone", "api key 3");
  }));
  ASSERT_THAT(removed, SizeIs(1));
  EXPECT_EQ(removed[0].scope, StopScope::advertisements);
  EXPECT_THAT(stops(*store_, acme.key, {"ada@example.jp"}), SizeIs(2));
  const auto told =
      must(read([&](ReadTransaction& t) { return t.removals_of(acme.key, "ada@example.jp"); }));
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].reason, StopReason::unsubscribe);
  EXPECT_EQ(told[0].why, "asked for it by telephone");
  EXPECT_EQ(told[0].actor, "api key 3");
  EXPECT_EQ(told[0].at, now());
  must(write([&](WriteTransaction& t) {
    return t.remove_suppressions(acme.key, "ada@example.jp", {}, {}, "gone", "operator");
  }));
  const auto first = must(read([&](ReadTransaction& t) { return t.removals_after(0, 1); }));
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].subject, "ada@example.jp");
  const auto rest =
      must(read([&](ReadTransaction& t) { return t.removals_after(first[0].number, 100); }));
  ASSERT_THAT(rest, SizeIs(2));
  EXPECT_GT(rest[0].number, first[0].number);
  EXPECT_EQ(rest[0].list_id + rest[1].list_id, "weekly");
  EXPECT_THAT(listed(*store_, acme.key), IsEmpty());
}

TEST_P(StoreSuite, AnEntryThatIsThereIsChanged) {
  const Account acme = account();
  EXPECT_EQ(put(*store_, {manual(acme.key, "ada@example.jp")}), 1);
  NewSuppression again = manual(acme.key, "ada@example.jp");
  again.scope = StopScope::advertisements;
  again.note = "only those";
  clock_.advance(std::chrono::seconds(5));
  EXPECT_EQ(put(*store_, {again}), 0);
  const auto entries = stops(*store_, acme.key, {"ada@example.jp"});
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].entry.scope, StopScope::advertisements);
  EXPECT_EQ(entries[0].entry.note, "only those");
  EXPECT_EQ(entries[0].entry.updated, now());
  EXPECT_EQ(entries[0].entry.created, now() - std::chrono::seconds(5));
}

TEST_P(StoreSuite, SeveralSubjectsAreAskedAtOnce) {
  const Account acme = account();
  put(*store_, {manual(acme.key, "ada@example.jp"), manual(acme.key, "@example.org"),
                opt_out(kInstallation, "zoe@example.jp")});
  const auto found = stops(
      *store_, acme.key,
      {"bob@example.jp", "ada@example.jp", "any@example.org", "zoe@example.jp", "@example.org"});
  std::vector<std::pair<std::size_t, std::string>> told;
  for (const StoppedSubject& each : found) told.emplace_back(each.place, each.entry.subject);
  EXPECT_THAT(told,
              UnorderedElementsAre(std::pair(1, "ada@example.jp"), std::pair(2, "@example.org"),
                                   std::pair(3, "zoe@example.jp"), std::pair(4, "@example.org")));
}

TEST_P(StoreSuite, AListIsGoneThroughInPages) {
  const Account acme = account();
  std::vector<std::string> all;
  for (int i = 0; i < 25; ++i) {
    all.push_back("user" + std::to_string(i) + "@example.jp");
    put(*store_, {manual(acme.key, all.back())});
    if (i % 3 == 0) clock_.advance(std::chrono::seconds(1));
  }
  auto one_by_one = listed(*store_, acme.key, 4);
  std::ranges::sort(one_by_one);
  std::ranges::sort(all);
  EXPECT_EQ(one_by_one, all);
}

TEST_P(StoreSuite, ErrorsAreListedByTimeInEitherOrder) {
  const Account acme = account();
  const ErrorStop once{.errors = 1};
  for (const std::string_view local : {"ada", "bob", "cyd", "dan"}) {
    fail_for_good(acme.key, local, true, once);
    clock_.advance(std::chrono::seconds(10));
  }
  put(*store_, {manual(acme.key, "zoe@example.jp")});
  const auto names = [](const SuppressionPage& page) {
    std::string text;
    for (const Suppression& entry : page.entries) text += entry.subject.substr(0, 3) + " ";
    return text;
  };
  EXPECT_EQ(names(errors(*store_, acme.key)), "dan cyd bob ada ");
  EXPECT_EQ(names(errors(*store_, acme.key, false)), "ada bob cyd dan ");
  EXPECT_EQ(names(errors(*store_, acme.key, true, 1, 2)), "cyd bob ");
  const auto first = errors(*store_, acme.key, true, 0, 2);
  ASSERT_TRUE(first.next);
  const auto rest = must(read([&](ReadTransaction& t) {
    return t.error_list({.account = acme.key, .from = {}, .until = {}}, first.next, 0, 100);
  }));
  EXPECT_EQ(names(rest), "bob ada ");
  const auto some = must(read([&](ReadTransaction& t) {
    return t.error_list({.account = acme.key, .from = after(-30), .until = after(-20)},
                        std::nullopt, 0, 100);
  }));
  EXPECT_EQ(names(some), "cyd bob ");
}

TEST_P(StoreSuite, WhatWasAddedLatelyIsTold) {
  const Account acme = account();
  put(*store_, {manual(acme.key, "old@example.jp")});
  clock_.advance(std::chrono::minutes(5));
  put(*store_, {manual(acme.key, "new@example.jp"), manual(kInstallation, "any@example.jp")});
  const auto recent =
      must(read([&](ReadTransaction& t) { return t.recent_suppressions(after(-60), 100); }));
  std::vector<std::string> subjects;
  for (const RecentStop& entry : recent) {
    subjects.push_back(entry.subject);
    EXPECT_EQ(entry.updated, now());
  }
  EXPECT_THAT(subjects, UnorderedElementsAre("new@example.jp", "any@example.jp"));
}

TEST_P(StoreSuite, WhatNobodyMeansIsRefused) {
  const Account acme = account();
  const auto refused = [&](NewSuppression entry) {
    const std::vector<NewSuppression> entries{std::move(entry)};
    return error_of(write([&](WriteTransaction& t) { return t.put_suppressions(entries); }));
  };
  NewSuppression everything = opt_out(acme.key, "ada@example.jp");
  everything.scope = StopScope::all;
  EXPECT_EQ(refused(everything), "invalid_input") << "a password reset must go";
  EXPECT_EQ(refused(left_list(acme.key, "ada@example.jp", "")), "invalid_input");
  EXPECT_EQ(refused(manual(acme.key, "ada")), "invalid_input");
  NewSuppression garbled = manual(acme.key, "ada@example.jp");
  garbled.note = std::string("a\0b", 3);
  EXPECT_EQ(refused(garbled), "invalid_input");
  EXPECT_THAT(listed(*store_, acme.key), IsEmpty());
}

TEST_P(StoreSuite, OneSubjectHasABoundedNumberOfEntries) {
  const Account acme = account();
  std::vector<NewSuppression> lists;
  for (std::int64_t i = 0; i < kStopsOfSubjectMax; ++i) {
    lists.push_back(left_list(acme.key, "ada@example.jp", "list" + std::to_string(i)));
  }
  EXPECT_EQ(put(*store_, lists), kStopsOfSubjectMax);
  // Its neighbours are kept, and so are changes of what it has.
  const PutSuppressions more =
      put_some(*store_, {manual(acme.key, "bob@example.jp"),
                         left_list(acme.key, "ada@example.jp", "another"),
                         left_list(acme.key, "ada@example.jp", "list7"),
                         manual(acme.key, "ada@example.jp"), manual(acme.key, "cyd@example.jp")});
  EXPECT_EQ(more.made, 3) << "what is for no list always finds room";
  EXPECT_THAT(more.refused, ElementsAre(1U));
  EXPECT_TRUE(is_stopped(*store_, acme.key, "bob"));
  EXPECT_TRUE(is_stopped(*store_, acme.key, "cyd"));
  const auto found = stops(*store_, acme.key, {"ada@example.jp"});
  EXPECT_THAT(found, SizeIs(kStopsOfSubjectMax + 1));
}

TEST_P(StoreSuite, OfOneRequestTheFirstOnesOfASubjectAreKept) {
  const Account acme = account();
  std::vector<NewSuppression> lists;
  for (std::int64_t i = 0; i < kStopsOfSubjectMax + 3; ++i) {
    lists.push_back(left_list(acme.key, "ada@example.jp", "list" + std::to_string(i)));
  }
  const PutSuppressions done = put_some(*store_, lists);
  EXPECT_EQ(done.made, kStopsOfSubjectMax);
  EXPECT_THAT(done.refused, ElementsAre(200U, 201U, 202U));
}

TEST_P(StoreSuite, ATextIsKeptUpToSoManyCharacters) {
  const Account acme = account();
  NewSuppression entry = manual(acme.key, "ada@example.jp");
  for (std::size_t i = 0; i < kStopTextCharactersMax; ++i) entry.note += "あ";
  const std::string longest = entry.note;
  put(*store_, {entry});
  EXPECT_EQ(stops(*store_, acme.key, {"ada@example.jp"}).at(0).entry.note, longest);
  entry.note += "い";
  put(*store_, {entry});
  EXPECT_EQ(stops(*store_, acme.key, {"ada@example.jp"}).at(0).entry.note, longest);
}

}  // namespace
}  // namespace todoku::store
