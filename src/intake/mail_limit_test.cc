// SPDX-License-Identifier: Apache-2.0
#include "intake/mail_limit.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/installation.h"

namespace todoku::intake {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// 2026-01-31 23:59:00 in Japan.
constexpr Instant kEndOfJanuary = from_epoch_ms(1'769'871'540'000);

TEST(JapansCalendar, HasItsOwnDaysAndMonths) {
  const Instant later = kEndOfJanuary + minutes(1);
  EXPECT_EQ(day_of(later), day_of(kEndOfJanuary) + 1);
  EXPECT_EQ(first_day_of_month(kEndOfJanuary), day_of(kEndOfJanuary) - 30);
  EXPECT_EQ(first_day_of_month(later), day_of(later));
  EXPECT_EQ(until_next_day(kEndOfJanuary), seconds(60));
  EXPECT_EQ(until_next_month(kEndOfJanuary), seconds(60));
  EXPECT_EQ(until_next_day(later), hours(24));
  EXPECT_EQ(until_next_month(later), hours(24 * 28));
}

class MailLimitTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto made = installation_.store->write_and_wait(
        store::WritePriority::accept,
        [](store::WriteTransaction& t) { return t.create_account("acme"); });
    account_ = *made;
  }
  // Which limit is reached; empty: none.
  std::string asked(MailLimit& limit, std::int64_t mails, bool transactional = true) {
    auto refusal = run(limit.admit(account_, mails, transactional));
    if (!refusal) return "";
    free_in_ = *refusal->retry_after;
    return std::string(refusal->limit);
  }
  void exchange_all() {
    ASSERT_TRUE(run(here_.exchange(store::NodeKey{1})));
    ASSERT_TRUE(run(there_.exchange(store::NodeKey{2})));
  }
  // Of what the account was told.
  std::vector<std::string> told() {
    const auto page = installation_.store->read_and_wait([&](store::ReadTransaction& t) {
      return t.events({.account = account_.key,
                       .kinds = {store::EventKind::limit_near, store::EventKind::limit_reached}});
    });
    std::vector<std::string> lines;
    for (const store::EventRecord& event : page->events) {
      lines.push_back(fmt::format("{} {} {}", to_string(event.entry.kind),
                                  event.entry.credential->name, event.entry.credential->because));
    }
    return lines;
  }
  void move_to(Instant when) { installation_.clock.advance(when - installation_.clock.now()); }

  TestStore installation_;
  store::Account account_;
  seconds free_in_{};
  MailLimit here_{*installation_.store, installation_.clock};
  MailLimit there_{*installation_.store, installation_.clock};
};

// So that its days can be looked at, and a limit that it is given goes by what was before.
TEST_F(MailLimitTest, WithoutALimitItIsCountedAllTheSame) {
  EXPECT_EQ(asked(here_, 1'000'000), "");
  here_.give_back(account_, 1);
  ASSERT_TRUE(run(here_.exchange(store::NodeKey{1})));
  EXPECT_EQ(asked(here_, 1), "");
  ASSERT_TRUE(run(here_.exchange(store::NodeKey{1})));
  const auto counts = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.mail_counts(std::span(&account_.key, 1), 0); });
  ASSERT_EQ(counts->size(), 1U);
  EXPECT_EQ(counts->front().mails, 1'000'000);
  account_.limits.mails_per_day = 1'000'001;
  EXPECT_EQ(asked(here_, 2), "mails_per_day");
}

TEST_F(MailLimitTest, SaysHowAnAccountStands) {
  move_to(kEndOfJanuary);
  EXPECT_TRUE(run(here_.standing(account_))->empty());
  account_.limits = {.mails_per_minute = 9, .mails_per_day = 5, .mails_per_month = 8};
  EXPECT_EQ(asked(here_, 3), "");
  const auto standings = run(here_.standing(account_));
  ASSERT_TRUE(standings);
  ASSERT_EQ(standings->size(), 2U);
  EXPECT_EQ((*standings)[0].limit, "mails_per_day");
  EXPECT_EQ((*standings)[0].most, 5);
  EXPECT_EQ((*standings)[0].used, 3);
  EXPECT_EQ((*standings)[0].resets_in, seconds(60));
  EXPECT_EQ((*standings)[1].limit, "mails_per_month");
  move_to(kEndOfJanuary + minutes(1));
  EXPECT_EQ((*run(here_.standing(account_)))[0].used, 0);
}

TEST_F(MailLimitTest, AnAccountIsToldOfItsLimitsOnceWhoeverSeesIt) {
  move_to(kEndOfJanuary);
  account_.limits = {.mails_per_day = 10, .mails_per_month = 100};
  EXPECT_EQ(asked(here_, 7), "");
  exchange_all();
  EXPECT_EQ(told(), std::vector<std::string>{});
  EXPECT_EQ(asked(here_, 1), "");
  exchange_all();
  exchange_all();
  const std::vector<std::string> near = {
      "limit_near mails_per_day 8 of 10 mails of this day are used"};
  EXPECT_EQ(told(), near);
  EXPECT_EQ(asked(there_, 2), "");
  exchange_all();
  MailLimit later(*installation_.store, installation_.clock);
  EXPECT_EQ(asked(later, 1), "mails_per_day");
  ASSERT_TRUE(run(later.exchange(store::NodeKey{3})));
  EXPECT_EQ(told(),
            (std::vector<std::string>{
                near[0], "limit_reached mails_per_day 10 of 10 mails of this day are used"}));
  move_to(kEndOfJanuary + minutes(1));
  EXPECT_EQ(asked(there_, 9), "");
  exchange_all();
  EXPECT_EQ(told().size(), 3U) << "another day";
}

// What does not fit any more is refused before the last is used.
TEST_F(MailLimitTest, ARefusalIsToldAsALimitThatIsReached) {
  account_.limits.mails_per_day = 100;
  EXPECT_EQ(asked(here_, 90), "");
  EXPECT_EQ(asked(here_, 50, false), "mails_per_day") << "a list that is too long says so itself";
  exchange_all();
  ASSERT_EQ(told().size(), 1U);
  EXPECT_TRUE(told()[0].starts_with("limit_near"));
  EXPECT_EQ(asked(here_, 11), "mails_per_day");
  exchange_all();
  ASSERT_EQ(told().size(), 2U);
  EXPECT_TRUE(told()[1].starts_with("limit_reached"));
}

TEST_F(MailLimitTest, AMinuteIsTransactionsOnly) {
  account_.limits.mails_per_minute = 10;
  EXPECT_EQ(asked(here_, 10), "");
  EXPECT_EQ(asked(here_, 1), "mails_per_minute");
  EXPECT_EQ(free_in_, seconds(60));
  EXPECT_EQ(asked(here_, 1'000, false), "");
  installation_.clock.advance(seconds(20));
  EXPECT_EQ(asked(here_, 1), "mails_per_minute");
  EXPECT_EQ(free_in_, seconds(40));
  installation_.clock.advance(seconds(40));
  EXPECT_EQ(asked(here_, 10), "");
  EXPECT_EQ(asked(here_, 2), "mails_per_minute");
}

TEST_F(MailLimitTest, ADayEndsAtMidnightInJapanAndAMonthWithIt) {
  move_to(kEndOfJanuary);
  account_.limits = {.mails_per_day = 5, .mails_per_month = 8};
  EXPECT_EQ(asked(here_, 5), "");
  EXPECT_EQ(asked(here_, 1), "mails_per_day");
  EXPECT_EQ(free_in_, seconds(60));
  move_to(kEndOfJanuary + minutes(1));
  EXPECT_EQ(asked(here_, 4), "") << "it is another month, too";
  move_to(kEndOfJanuary + hours(24) + minutes(1));
  EXPECT_EQ(asked(here_, 5), "mails_per_month");
  EXPECT_EQ(free_in_, hours(24 * 27));
  EXPECT_EQ(asked(here_, 4), "");
}

TEST_F(MailLimitTest, WhatCanNeverFitIsToldSoAndIsNotCounted) {
  account_.limits = {.mails_per_day = 5, .mails_per_month = 8};
  for (const std::int64_t mails : {6, 9, 1'000'000}) {
    const auto refused = run(here_.admit(account_, mails, false));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->kind, ErrorKind::invalid_input);
    EXPECT_FALSE(refused->retry_after) << "to come again would not help";
  }
  EXPECT_EQ(asked(here_, 5), "");
  account_.limits = {.mails_per_minute = 3};
  const auto refused = run(here_.admit(account_, 4, true));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, ErrorKind::invalid_input);
  EXPECT_EQ(refused->limit, "mails_per_minute");
  EXPECT_FALSE(refused->retry_after);
}

TEST_F(MailLimitTest, WhatWasNotAcceptedIsGivenBack) {
  account_.limits.mails_per_day = 5;
  EXPECT_EQ(asked(here_, 5), "");
  here_.give_back(account_, 5);
  EXPECT_EQ(asked(here_, 5), "");
  EXPECT_EQ(asked(here_, 1), "mails_per_day");
}

TEST_F(MailLimitTest, ProcessesHearOfEachOtherWhenTheyExchange) {
  account_.limits.mails_per_day = 10;
  EXPECT_EQ(asked(here_, 6), "");
  EXPECT_EQ(asked(there_, 6), "") << "it has not heard yet: that is the bound";
  ASSERT_TRUE(run(here_.exchange(store::NodeKey{1})));
  ASSERT_TRUE(run(there_.exchange(store::NodeKey{2})));
  EXPECT_EQ(asked(there_, 1), "mails_per_day");
  ASSERT_TRUE(run(here_.exchange(store::NodeKey{1})));
  EXPECT_EQ(asked(here_, 1), "mails_per_day");
  MailLimit later(*installation_.store, installation_.clock);
  EXPECT_EQ(asked(later, 1), "mails_per_day") << "a new process asks the store first";
}

TEST_F(MailLimitTest, NothingIsCountedTwiceByExchanging) {
  account_.limits.mails_per_day = 10;
  EXPECT_EQ(asked(here_, 4), "");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(run(here_.exchange(store::NodeKey{1})));
  EXPECT_EQ(asked(here_, 6), "");
  EXPECT_EQ(asked(here_, 1), "mails_per_day");
}

TEST_F(MailLimitTest, WhatTheStoreDidNotTakeStaysCounted) {
  account_.limits.mails_per_day = 10;
  EXPECT_EQ(asked(here_, 10), "");
  installation_.store->close();
  EXPECT_FALSE(run(here_.exchange(store::NodeKey{1})));
  EXPECT_EQ(asked(here_, 1), "mails_per_day");
  MailLimit blind(*installation_.store, installation_.clock);
  const auto refused = run(blind.admit(account_, 1, true));
  ASSERT_TRUE(refused) << "who cannot know lets nobody pass";
  EXPECT_FALSE(refused->retry_after);
}

}  // namespace
}  // namespace todoku::intake
