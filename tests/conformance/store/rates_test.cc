// SPDX-License-Identifier: Apache-2.0
// Rates of bounces and complaints, and what is held back for them (store/rates.h).
#include <vector>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

OutcomeCounts counts(std::int64_t answered, std::int64_t hard) {
  return {.answered = answered,
          .delivered = answered - hard,
          .reporting = 1,
          .hard = hard,
          .unknown_users = hard,
          .complained = 2};
}

struct RateBook {
  Store& store;
  void count(const std::vector<RateIncrement>& increments) const {
    must(store.write_and_wait(WritePriority::import,
                              [&](WriteTransaction& t) { return t.count_rates(increments); }));
  }
  void put(const RateState& state) const {
    must(store.write_and_wait(WritePriority::import,
                              [&](WriteTransaction& t) { return t.put_rate_state(state); }));
  }
  [[nodiscard]] std::vector<RateFound> find(const std::vector<RateSubject>& subjects, RateHour from,
                                            RateHour at) const {
    return must(
        store.read_and_wait([&](ReadTransaction& t) { return t.rates(subjects, from, at); }));
  }
  [[nodiscard]] std::vector<HeldReceiver> held() const {
    return must(store.read_and_wait([](ReadTransaction& t) { return t.held_receivers(10); }));
  }
  [[nodiscard]] std::int64_t at_level(std::uint8_t level) const {
    return must(store.read_and_wait([level](ReadTransaction& t) { return t.rates_at(level); }));
  }
};

TEST_P(StoreSuite, OutcomesAreCountedByHourAndSubject) {
  const RateBook book{*store_};
  const RateSubject acme{.account = AccountKey{7}};
  const RateSubject domain{
      .account = AccountKey{7}, .scope = RateScope::sender_domain, .name = "example.jp"};
  book.count({{acme, 10, counts(5, 1)}, {domain, 10, counts(3, 0)}});
  book.count({{acme, 10, counts(5, 2)}, {acme, 12, counts(10, 4)}});
  const auto found = book.find({domain, acme}, 10, 12);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].subject, domain);
  EXPECT_EQ(found[0].counts, counts(3, 0));
  EXPECT_EQ(found[0].this_hour, OutcomeCounts{});
  EXPECT_EQ(found[1].counts, (OutcomeCounts{.answered = 20,
                                            .delivered = 13,
                                            .reporting = 3,
                                            .hard = 7,
                                            .unknown_users = 7,
                                            .complained = 6}));
  EXPECT_EQ(found[1].this_hour, counts(10, 4));
  EXPECT_EQ(found[1].state, std::nullopt);
  EXPECT_EQ(book.find({acme}, 11, 11)[0].counts, counts(10, 4)) << "what is older does not count";
}

TEST_P(StoreSuite, WhatWasCountedBeforeABaselineCountsNoMore) {
  const RateBook book{*store_};
  const RateSubject acme{.account = AccountKey{7}};
  book.count({{acme, 10, counts(5, 1)}, {acme, 11, counts(4, 1)}});
  const RateState state{.subject = acme,
                        .level = 1,
                        .since = now(),
                        .because = "hard bounces",
                        .baseline_hour = 11,
                        .baseline = book.find({acme}, 10, 11)[0].this_hour};
  book.put(state);
  auto found = book.find({acme}, 10, 11)[0];
  EXPECT_EQ(found.counts, OutcomeCounts{});
  EXPECT_EQ(found.state, state);
  book.count({{acme, 11, counts(3, 2)}, {acme, 12, counts(1, 0)}});
  found = book.find({acme}, 10, 12)[0];
  EXPECT_EQ(found.counts.answered, 4);
  EXPECT_EQ(found.counts.hard, 2);
  EXPECT_EQ(book.find({acme}, 12, 12)[0].counts.answered, 1) << "the baseline is before the window";
  RateState later = state;
  later.level = 2;
  book.put(later);
  EXPECT_EQ(book.find({acme}, 10, 12)[0].state, later);
  later.because = std::string(kRateBecauseMax + 1, 'x');
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.put_rate_state(later); })),
            "invalid_input");
}

TEST_P(StoreSuite, SubjectsAreListedByAccountAndByDelivery) {
  const RateBook book{*store_};
  const AccountKey acme{7};
  const RateSubject all{.account = acme};
  const RateSubject site{.account = acme, .scope = RateScope::receiver, .name = "docomo"};
  const RateSubject mailing{
      .account = acme, .scope = RateScope::delivery, .delivery = DeliveryKey{3}};
  const RateSubject there{.account = acme,
                          .scope = RateScope::delivery_at_receiver,
                          .delivery = DeliveryKey{3},
                          .name = "docomo"};
  book.count({{site, 10, counts(1, 0)},
              {all, 10, counts(1, 0)},
              {there, 10, counts(1, 0)},
              {mailing, 10, counts(1, 0)},
              {{.account = AccountKey{8}}, 10, counts(1, 0)}});
  const auto subjects = [&](const RateQuestion& question) {
    return must(read([&](ReadTransaction& t) { return t.rate_subjects(question); }));
  };
  EXPECT_THAT(subjects({.account = acme, .from = 10}), ElementsAre(all, site));
  EXPECT_THAT(subjects({.account = acme, .delivery = DeliveryKey{3}, .from = 10}),
              ElementsAre(mailing, there));
  EXPECT_THAT(subjects({.account = acme, .from = 11}), IsEmpty());
  book.put({.subject = site, .level = 1, .since = now()});
  EXPECT_THAT(subjects({.account = acme, .from = 11}), ElementsAre(site)) << "it has a state";
  EXPECT_THAT(subjects({.account = acme}), ElementsAre(site)) << "those alone that have one";
  EXPECT_THAT(subjects({.account = acme, .delivery = DeliveryKey{3}}), IsEmpty());
  book.put({.subject = there, .level = 2, .since = now()});
  EXPECT_THAT(subjects({.account = acme, .delivery = DeliveryKey{3}}), ElementsAre(there));
  EXPECT_THAT(subjects({.account = acme}), ElementsAre(site));
}

TEST_P(StoreSuite, TagsAreCountedByDayAndAskedForAlone) {
  const RateBook book{*store_};
  const auto tag = [](std::int64_t account, std::string name) {
    return RateSubject{
        .account = AccountKey{account}, .scope = RateScope::tag, .name = std::move(name)};
  };
  constexpr RateHour kDay = tag_day(Instant{std::chrono::hours(1'000)});
  static_assert(kDay == 1'000 - (1'000 + 9) % 24, "days begin in Japan");
  static_assert(tag_day(Instant{std::chrono::hours(1'000)}, 1) == kDay - 24);
  book.count({{tag(7, "order"), kDay, counts(5, 1)},
              {tag(7, ""), kDay, counts(1, 0)},
              {tag(8, "order"), kDay, counts(9, 0)},
              {{.account = AccountKey{7}}, kDay, counts(2, 0)}});
  book.count({{tag(7, "order"), kDay - 24, counts(3, 0)}});
  const auto subjects = [&](RateHour from) {
    return must(read([&](ReadTransaction& t) {
      return t.rate_subjects({.account = AccountKey{7}, .from = from, .tags = true});
    }));
  };
  EXPECT_THAT(subjects(kDay - 24), ElementsAre(tag(7, ""), tag(7, "order")));
  EXPECT_THAT(subjects(kDay + 24), IsEmpty());
  EXPECT_THAT(
      must(read([&](ReadTransaction& t) {
        return t.rate_subjects(
            {.account = AccountKey{7}, .from = kDay - 24, .until = kDay - 23, .tags = true});
      })),
      ElementsAre(tag(7, "order")))
      << "of that day alone";
  EXPECT_EQ(book.find({tag(7, "order")}, kDay, kDay)[0].counts.answered, 5);
  EXPECT_EQ(book.find({tag(7, "order")}, kDay - 24, kDay)[0].counts.answered, 8);
  EXPECT_THAT(must(read([](ReadTransaction& t) {
                return t.rate_subjects({.account = AccountKey{7}, .from = 0});
              })),
              ElementsAre(RateSubject{.account = AccountKey{7}}))
      << "who asks for rates gets no tags";
}

TEST_P(StoreSuite, DeliveriesThatGoOutAreHeldAtReceivers) {
  const RateBook book{*store_};
  const Account acme = account();
  const Delivery mailing = started(acme.key, recipients(3, "docomo.ne.jp"));
  const auto state = [&](std::string_view site, std::uint8_t level) {
    return RateState{.subject = {.account = acme.key,
                                 .scope = RateScope::delivery_at_receiver,
                                 .delivery = mailing.key,
                                 .name = std::string(site)},
                     .level = level,
                     .since = now()};
  };
  book.put(state("docomo", 2));
  book.put(state("au", 1));
  EXPECT_THAT(book.held(), ElementsAre(HeldReceiver{mailing.key, "docomo"}));
  EXPECT_EQ(book.at_level(2), 1);
  EXPECT_EQ(book.at_level(1), 1);
  must(write([&](WriteTransaction& t) { return t.steer_delivery(mailing.key, Course::stopped); }));
  EXPECT_THAT(book.held(), IsEmpty()) << "it does not go out any more";
}

TEST_P(StoreSuite, OwnersAreToldOfRatesWithoutADelivery) {
  const Account acme = account();
  const EventPlace before = must(read([](ReadTransaction& t) { return t.last_event_place(); }));
  must(write([&](WriteTransaction& t) -> Result<void> {
    t.tell_of_rate(EventKind::protection_paused, acme.key, "account", "complaints: 3 of 1000");
    return {};
  }));
  const auto page = must(
      read([&](ReadTransaction& t) { return t.events({.account = acme.key, .after = before}); }));
  ASSERT_THAT(page.events, SizeIs(1));
  EXPECT_EQ(page.events[0].entry.kind, EventKind::protection_paused);
  ASSERT_NE(page.events[0].entry.credential, nullptr);
  EXPECT_EQ(page.events[0].entry.credential->name, "account");
  EXPECT_EQ(page.events[0].entry.credential->because, "complaints: 3 of 1000");
}

TEST_P(StoreSuite, RatesThatAreOldGo) {
  const RateBook book{*store_};
  const RateSubject acme{.account = AccountKey{7}};
  const RateSubject mailing{
      .account = AccountKey{7}, .scope = RateScope::delivery, .delivery = DeliveryKey{3}};
  const RateHour hour = rate_hour(now());
  book.count({{acme, hour - 2, counts(1, 0)}, {acme, hour, counts(2, 0)}});
  book.put({.subject = acme, .level = 2, .since = now() - 2h});
  book.put({.subject = mailing, .level = 2, .since = now() - 2h});
  EXPECT_FALSE(must(write([&](WriteTransaction& t) { return t.drop_rates(hour - 1, 10); })));
  EXPECT_EQ(book.find({acme}, 0, hour)[0].counts.answered, 2);
  EXPECT_NE(book.find({acme}, 0, hour)[0].state, std::nullopt) << "nobody has resumed it";
  EXPECT_EQ(book.find({mailing}, 0, hour)[0].state, std::nullopt);
}

}  // namespace
}  // namespace todoku::store
