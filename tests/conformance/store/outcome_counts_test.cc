// SPDX-License-Identifier: Apache-2.0
// Outcomes by cause and receiver (store/outcome_counts.h).
#include <algorithm>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<OutcomeCount> of_delivery(Store& store, DeliveryKey key,
                                      const std::optional<std::string>& site = {},
                                      std::int64_t limit = 100) {
  return must(
      store.read_and_wait([&](ReadTransaction& t) { return t.outcomes_of(key, site, limit); }));
}

std::vector<OutcomeCount> within(Store& store, const OutcomeCountReads::Hours& hours,
                                 std::int64_t limit = 100) {
  return must(
      store.read_and_wait([&](ReadTransaction& t) { return t.outcomes_within(hours, limit); }));
}

OutcomeRecord at_site(OutcomeRecord record, std::string_view site, Cause cause = Cause::none) {
  record.site = site;
  record.outcome.cause = cause;
  return record;
}

RecipientKey key_of(const BatchKey& batch, std::uint32_t seq) {
  return {batch.delivery, batch.batch, seq};
}

TEST_P(StoreSuite, OutcomesOfABulkAreCountedByReceiverAndCause) {
  const Delivery sending = started(account().key, recipients(6, "example.jp"));
  const BatchKey batch = claim_all(sending.key)[0].key;
  const auto refused = [&](std::uint32_t seq) {
    return at_site(outcome(batch, seq, RecipientState::bounced, 550, "no"), "docomo",
                   Cause::policy);
  };
  record({at_site(outcome(batch, 0, RecipientState::delivered), "docomo"), refused(1), refused(2),
          at_site(deferral(batch, 3, after(60)), "gmail", Cause::rate)});
  record({refused(4)});
  const OutcomeCount policy{.site = "docomo",
                            .state = RecipientState::bounced,
                            .cause = Cause::policy,
                            .mails = 3,
                            .sample = key_of(batch, 4)};
  const OutcomeCount taken{.site = "docomo",
                           .state = RecipientState::delivered,
                           .cause = Cause::none,
                           .mails = 1,
                           .sample = key_of(batch, 0)};
  const OutcomeCount later{.site = "gmail",
                           .state = RecipientState::deferred,
                           .cause = Cause::rate,
                           .mails = 1,
                           .sample = key_of(batch, 3)};
  EXPECT_THAT(of_delivery(*store_, sending.key), ElementsAre(policy, taken, later));
  EXPECT_THAT(of_delivery(*store_, sending.key, "gmail"), ElementsAre(later));
  EXPECT_THAT(of_delivery(*store_, sending.key, "", 100), IsEmpty());
  EXPECT_THAT(of_delivery(*store_, sending.key, {}, 1), ElementsAre(policy)) << "the largest";

  // What changes nothing is not counted.
  EXPECT_EQ(record({refused(1)}).superseded, 1);
  EXPECT_THAT(of_delivery(*store_, sending.key), ElementsAre(policy, taken, later));
  // Who bounces after acceptance counts once.
  auto bounce = at_site(outcome(batch, 0, RecipientState::bounced, 550, "5.2.2"), "docomo",
                        Cause::mailbox_full);
  bounce.outcome.is_attempt = false;
  record({bounce});
  const auto counts = of_delivery(*store_, sending.key, "docomo");
  ASSERT_THAT(counts, SizeIs(2));
  EXPECT_EQ(counts[1].cause, Cause::mailbox_full);
}

TEST_P(StoreSuite, AMailThatCameBackIsMovedFromWhatItWasCountedAs) {
  const Delivery sending = started(account().key, recipients(3, "example.jp"));
  const BatchKey batch = claim_all(sending.key)[0].key;
  record({at_site(outcome(batch, 0, RecipientState::delivered), "(mx1|mx2).example.jp"),
          at_site(outcome(batch, 1, RecipientState::unknown, 0, "lost"), "", Cause::in_doubt),
          at_site(outcome(batch, 2, RecipientState::delivered), "")});
  const auto came_back = [&](std::uint32_t seq, std::string_view site, Cause before) {
    auto bounce = at_site(outcome(batch, seq, RecipientState::bounced, 550, "5.1.1 unknown"), site,
                          Cause::mailbox);
    bounce.outcome.is_attempt = false;
    bounce.if_taken = true;
    bounce.cause_before = before;
    return bounce;
  };
  record({came_back(0, "(mx1|mx2).example.jp", Cause::none), came_back(1, "", Cause::in_doubt)});
  const auto bounced = [&](std::uint32_t seq, std::string_view site) {
    return OutcomeCount{.site = std::string(site),
                        .state = RecipientState::bounced,
                        .cause = Cause::mailbox,
                        .mails = 1,
                        .sample = key_of(batch, seq)};
  };
  EXPECT_THAT(of_delivery(*store_, sending.key, "(mx1|mx2).example.jp"),
              ElementsAre(bounced(0, "(mx1|mx2).example.jp")));
  const auto others = of_delivery(*store_, sending.key, "");
  ASSERT_THAT(others, SizeIs(2));
  EXPECT_THAT(others, ::testing::Contains(bounced(1, "")));
  EXPECT_THAT(others, ::testing::Contains(OutcomeCount{.site = "",
                                                       .state = RecipientState::delivered,
                                                       .cause = Cause::none,
                                                       .mails = 1,
                                                       .sample = key_of(batch, 2)}));
}

TEST_P(StoreSuite, OutcomesAreCountedByHourAndAccount) {
  const AccountKey mine = account("mine").key;
  const AccountKey theirs = account("theirs").key;
  const auto bounce = [&](AccountKey whose, std::string_view local) {
    const BatchKey batch = accept(whose, {recipient(local)}).batches[0].key;
    record({at_site(outcome(batch, 0, RecipientState::bounced, 550, "no"), "au", Cause::policy)});
    return key_of(batch, 0);
  };
  const HourNumber first = hour_of(now());
  bounce(mine, "one");
  const RecipientKey last = bounce(theirs, "two");
  clock_.advance(std::chrono::hours(1));
  const RecipientKey later = bounce(mine, "three");
  const auto count = [](std::int64_t mails, const RecipientKey& sample) {
    return OutcomeCount{.site = "au",
                        .state = RecipientState::bounced,
                        .cause = Cause::policy,
                        .mails = mails,
                        .sample = sample};
  };
  EXPECT_THAT(within(*store_, {.account = mine, .first = first, .end = first + 2}),
              ElementsAre(count(2, later)));
  EXPECT_THAT(within(*store_, {.account = theirs, .first = first, .end = first + 2}),
              ElementsAre(count(1, last)));
  EXPECT_THAT(within(*store_, {.first = first, .end = first + 1}), ElementsAre(count(2, last)));
  EXPECT_THAT(within(*store_, {.first = first, .end = first + 2, .site = "gmail"}), IsEmpty());
  // Of a transaction there are stories, and no counts of its own.
  EXPECT_THAT(of_delivery(*store_, last.delivery), IsEmpty());

  OutcomeHistory history({.account = mine, .first = first - 100, .end = first + 40});
  must(walk_and_wait(*store_, history));
  EXPECT_THAT(history.take(10), ElementsAre(count(2, later)));

  const auto drop = [&](HourNumber before, std::int64_t rows) {
    return must(write([=](WriteTransaction& t) { return t.drop_outcome_hours(before, rows); }));
  };
  EXPECT_FALSE(drop(first + 1, 1));
  EXPECT_FALSE(drop(first + 1, 1));
  while (!drop(first + 1, 10)) {
  }
  EXPECT_THAT(within(*store_, {.account = mine, .first = first, .end = first + 2}),
              ElementsAre(count(1, later)));
}

TEST_P(StoreSuite, CountsOfADeliveryGoWithIt) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const BatchKey batch = claim_all(sending.key)[0].key;
  record({at_site(outcome(batch, 0, RecipientState::delivered), "example.jp")});
  EXPECT_THAT(of_delivery(*store_, sending.key), SizeIs(1));
  must(write([&](WriteTransaction& t) { return t.delete_delivery(sending.key); }));
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(1'000); }))) {
  }
  EXPECT_THAT(of_delivery(*store_, sending.key), IsEmpty());
}

}  // namespace
}  // namespace todoku::store
