// SPDX-License-Identifier: Apache-2.0
// What an answer (or its absence) means for the recipient, the host and the site. All delivery
// failure policy is in this one table.
//
//   stage        answer            recipient           host             site
//   dns          nxdomain, null MX bounced             -                -
//   dns          servfail, timeout deferred            -                -
//   connect      any failure       next host, at last deferred          rests
//   greeting     4xx, 5xx, timeout next host, at last deferred          rests
//   hello        4xx, 5xx          next host, at last deferred          rests
//   starttls     failure           next way (policy), at last deferred  -
//   mail_from    4xx               deferred            -                -
//   mail_from    5xx               bounced             -                -
//   rcpt_to      4xx / 5xx         deferred / bounced  -                -
//   data         4xx / 5xx         deferred / bounced  -                -
//   data         2xx               delivered           -                recovers
//   any          421               deferred            session is over  rests
//   mail_from..  connection lost   deferred            session is over  -
//
// A 5xx at the greeting is about us as a client of that host, not about the recipient (RFC 5321
// section 3.1: 554 "no SMTP service here"), so another host may still take the mail.
#pragma once

#include <cstdint>

#include "mail/attempt.h"

namespace todoku::delivery::policy {

struct Verdict {
  RecipientState state = RecipientState::deferred;
  bool try_next_host = false;  // this host did not serve, another may
  bool site_failed = false;    // the lane should rest
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

struct Answer {
  Stage stage = Stage::none;
  Reply reply;             // code 0: no answer
  bool permanent = false;  // without an answer: our own finding is final (no such domain)
  bool in_doubt = false;   // the content was written, the answer did not come
};

// `at_most_once`: a mail in doubt must not be sent again and becomes unknown.
[[nodiscard]] Verdict judge(const Answer& answer, bool at_most_once);

}  // namespace todoku::delivery::policy
