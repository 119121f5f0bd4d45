// SPDX-License-Identifier: Apache-2.0
// What of an outcome is told to the sender of a mail by a delivery status notification (RFC 3461
// sections 5.2 and 6), and about which mails nothing is told at all. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "mail/dsn.h"
#include "mail/states.h"

namespace todoku::delivery::policy {

// Why nobody is told anything about a mail, whatever becomes of it.
enum class Untold : std::uint8_t {
  told,            // no reason
  null_sender,     // RFC 3461 section 6.1: nobody to tell, and a loop at once
  is_report,       // RFC 3834 section 2: who answers an answer begins a loop
  foreign_sender,  // the address is not the account's: it would tell strangers (backscatter)
  switched_off,    // the credential does without
};

struct MailFacts {
  std::string_view mail_from;  // as on the wire; empty: the null sender
  bool is_report = false;      // is_report_mail()
  bool sender_domain_is_accounts = false;
  bool reports_wanted = true;  // the credential's setting
};

[[nodiscard]] Untold untold_because(const MailFacts& mail);
[[nodiscard]] std::string_view to_string(Untold reason);

// Whether a mail was sent by a machine as an answer to another, by the values of its fields
// Auto-Submitted (RFC 3834 section 5; empty: none) and Content-Type: "auto-replied", or a report
// (RFC 6522). What a machine sends of itself ("auto-generated": an order, a cron job) has an owner,
// who wants to know that it did not arrive.
[[nodiscard]] bool is_report_mail(std::string_view auto_submitted, std::string_view content_type);

struct NotifyOptions {
  // RFC 3461 section 4.1 leaves it to us whether who asked for nothing hears of delays.
  bool delay_by_default = true;
  Milliseconds delay_after{std::chrono::hours(4)};  // from the mail's arrival
};

struct RecipientFacts {
  DsnNotify notify;
  RecipientState state = RecipientState::pending;
  // The receiver offers DSN and was given NOTIFY: what is to be told of success is its to tell
  // (RFC 3461 section 5.2.2).
  bool receiver_reports = false;
  bool delay_was_told = false;
  Milliseconds age{0};  // since the mail arrived
};

// Of relays nothing more can be said than that a mail was passed on: only who has the mailbox
// knows that it was delivered.
enum class Notice : std::uint8_t { none, failed, delayed, relayed };

// What to tell of a recipient now. For a mail about which something may be told.
[[nodiscard]] Notice notice_for(const RecipientFacts& recipient, const NotifyOptions& options);

// How long from now a recipient that is `deferred` must stay so to be told of as delayed; 0: now.
// Negative: never, because nobody wants to know or knows already.
[[nodiscard]] Milliseconds delay_notice_in(const RecipientFacts& recipient,
                                           const NotifyOptions& options);

}  // namespace todoku::delivery::policy
