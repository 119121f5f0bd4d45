// SPDX-License-Identifier: Apache-2.0
#include "intake/mail_limit.h"

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
  void move_to(Instant when) { installation_.clock.advance(when - installation_.clock.now()); }

  TestStore installation_;
  store::Account account_;
  seconds free_in_{};
  MailLimit here_{*installation_.store, installation_.clock};
  MailLimit there_{*installation_.store, installation_.clock};
};

TEST_F(MailLimitTest, WithoutALimitNothingIsCounted) {
  EXPECT_EQ(asked(here_, 1'000'000), "");
  ASSERT_TRUE(run(here_.exchange(store::NodeKey{1})));
  const auto counts = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.mail_counts(std::span(&account_.key, 1), 0); });
  EXPECT_TRUE(counts->empty());
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
