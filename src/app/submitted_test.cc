// SPDX-License-Identifier: Apache-2.0
// Submitted messages with an idempotency key, on a store: who lost the answer gets it again.
#include "intake/submitted.h"

#include <gtest/gtest.h>

#include "app/test_handover.h"
#include "base/metrics.h"
#include "intake/intake.h"
#include "intake/mail_limit.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

class SubmittedTest : public ::testing::Test {
 protected:
  SubmittedTest() {
    intake_.set_mail_limit(limit_);
    account_ = *installation_.store->write_and_wait(
        store::WritePriority::accept,
        [](store::WriteTransaction& t) { return t.create_account("acme"); });
  }
  [[nodiscard]] static intake::SubmittedMail mail(std::string key) {
    intake::SubmittedMail mail;
    mail.submitted.from = {"news@example.jp", {}};
    mail.submitted.options.idempotency_key = std::move(key);
    mail.octets = "From: news@example.jp\r\n\r\nHello\r\n";
    mail.recipients = {{.address = "a@example.com"}};
    mail.credential = "shop";
    return mail;
  }
  intake::Answer<intake::Made> hand_in(intake::SubmittedMail mail) {
    return run(intake_.accept_submitted(account_, std::move(mail)));
  }

  TestStore installation_;
  NobodyDelivers handover_;
  Metrics metrics_;
  intake::MailLimit limit_{*installation_.store, installation_.clock};
  intake::Intake intake_{*installation_.store, installation_.clock, {}, handover_, metrics_};
  store::Account account_;
};

TEST_F(SubmittedTest, ARepeatAfterItsTimeGetsTheFirstAnswer) {
  auto later = mail("order-1");
  later.submitted.options.send_at = installation_.clock.now() + std::chrono::hours(1);
  const auto first = hand_in(later);
  ASSERT_TRUE(first);
  installation_.clock.advance(std::chrono::hours(3));
  const auto again = hand_in(later);
  ASSERT_TRUE(again) << again.error().problems.list().front().text.en;
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->answer, first->answer);
  later.submitted.options.idempotency_key = "order-2";
  EXPECT_FALSE(hand_in(later)) << "one that is new has a time that has passed";
}

TEST_F(SubmittedTest, ARepeatIsNoMailOfTheQuota) {
  account_.limits.mails_per_day = 1;
  const auto first = hand_in(mail("order-1"));
  ASSERT_TRUE(first);
  const auto again = hand_in(mail("order-1"));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->answer, first->answer);
  EXPECT_FALSE(hand_in(mail("order-2")));
}

}  // namespace
}  // namespace todoku::app
