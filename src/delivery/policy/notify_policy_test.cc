// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/notify_policy.h"

#include <gtest/gtest.h>

namespace todoku::delivery::policy {
namespace {

using std::chrono::hours;

constexpr DsnNotify kUnspecified{};
constexpr DsnNotify kNever{DsnNotify::kNever};
constexpr DsnNotify kSuccess{DsnNotify::kSuccess};
constexpr DsnNotify kFailure{DsnNotify::kFailure};
constexpr DsnNotify kDelay{DsnNotify::kDelay};

Notice notice(DsnNotify notify, RecipientState state, const NotifyOptions& options = {}) {
  return notice_for({.notify = notify, .state = state, .age = hours(5)}, options);
}

TEST(NotifyPolicy, TellsNobodyButTheAccountsOwnSender) {
  const MailFacts mail{.mail_from = "a@example.com", .sender_domain_is_accounts = true};
  EXPECT_EQ(untold_because(mail), Untold::told);
  MailFacts other = mail;
  other.mail_from = "";
  EXPECT_EQ(untold_because(other), Untold::null_sender);
  other = mail;
  other.is_report = true;
  EXPECT_EQ(untold_because(other), Untold::is_report);
  other = mail;
  other.sender_domain_is_accounts = false;
  EXPECT_EQ(untold_because(other), Untold::foreign_sender);
  other = mail;
  other.reports_wanted = false;
  EXPECT_EQ(untold_because(other), Untold::switched_off);
}

TEST(NotifyPolicy, KnowsMailThatAnswersMail) {
  EXPECT_FALSE(is_report_mail("", ""));
  EXPECT_FALSE(is_report_mail("no", "multipart/mixed; boundary=a"));
  EXPECT_FALSE(is_report_mail(" No (a person wrote it)", "text/plain"));
  EXPECT_TRUE(is_report_mail("auto-replied", ""));
  EXPECT_TRUE(is_report_mail("Auto-Replied (on holiday)", "text/plain"));
  EXPECT_TRUE(is_report_mail("(vacation) auto-replied", ""));
  EXPECT_TRUE(is_report_mail(" (a (b) \\) \\( c)\t(d) auto-replied; type=x", ""));
  EXPECT_FALSE(is_report_mail("(auto-replied) no", ""));
  EXPECT_FALSE(is_report_mail("(auto-replied", "")) << "a comment without an end";
  EXPECT_FALSE(is_report_mail("(a\\", "()"));
  EXPECT_TRUE(is_report_mail("", "(of ours) multipart/report; report-type=delivery-status"));
  EXPECT_FALSE(is_report_mail("auto-generated; type=x", "")) << "its owner wants to know";
  EXPECT_FALSE(is_report_mail("nonsense", ""));
  EXPECT_TRUE(is_report_mail("", "Multipart/Report; report-type=delivery-status"));
  EXPECT_TRUE(is_report_mail("", "multipart/report"));
  EXPECT_FALSE(is_report_mail("", "multipart/reports"));
}

TEST(NotifyPolicy, TellsOfFailureUnlessItIsNotWanted) {
  for (const RecipientState state : {RecipientState::bounced, RecipientState::expired,
                                     RecipientState::dropped, RecipientState::unknown}) {
    EXPECT_EQ(notice(kUnspecified, state), Notice::failed);
    EXPECT_EQ(notice(kFailure, state), Notice::failed);
    EXPECT_EQ(notice(kNever, state), Notice::none);
    EXPECT_EQ(notice(kSuccess, state), Notice::none);
  }
  EXPECT_EQ(notice(kFailure, RecipientState::cancelled), Notice::none);
  EXPECT_EQ(notice(kFailure, RecipientState::pending), Notice::none);
}

TEST(NotifyPolicy, SaysOfSuccessOnlyThatTheMailWasPassedOn) {
  EXPECT_EQ(notice(kSuccess, RecipientState::delivered), Notice::relayed);
  EXPECT_EQ(notice(kUnspecified, RecipientState::delivered), Notice::none);
  EXPECT_EQ(notice(kNever, RecipientState::delivered), Notice::none);
  const RecipientFacts handed_on{
      .notify = kSuccess, .state = RecipientState::delivered, .receiver_reports = true};
  EXPECT_EQ(notice_for(handed_on, {}), Notice::none) << "it is the receiver's to tell";
}

TEST(NotifyPolicy, TellsOfADelayOnceAndLate) {
  RecipientFacts recipient{.state = RecipientState::deferred, .age = hours(3)};
  EXPECT_EQ(notice_for(recipient, {}), Notice::none);
  EXPECT_EQ(delay_notice_in(recipient, {}), hours(1));
  recipient.age = hours(4);
  EXPECT_EQ(notice_for(recipient, {}), Notice::delayed);
  recipient.delay_was_told = true;
  EXPECT_EQ(notice_for(recipient, {}), Notice::none);
  EXPECT_LT(delay_notice_in(recipient, {}), Milliseconds(0));
}

TEST(NotifyPolicy, TellsOfADelayToWhoWantsIt) {
  const NotifyOptions only_if_asked{.delay_by_default = false};
  EXPECT_EQ(notice(kDelay, RecipientState::deferred, only_if_asked), Notice::delayed);
  EXPECT_EQ(notice(kUnspecified, RecipientState::deferred, only_if_asked), Notice::none);
  EXPECT_EQ(notice(kUnspecified, RecipientState::deferred), Notice::delayed);
  EXPECT_EQ(notice(kFailure, RecipientState::deferred), Notice::none);
  EXPECT_EQ(notice(kNever, RecipientState::deferred), Notice::none);
}

}  // namespace
}  // namespace todoku::delivery::policy
