// SPDX-License-Identifier: Apache-2.0
// What an answer (or its absence) means for the recipient, the host and the site. All delivery
// failure policy is in this one table.
//
//   stage        answer            recipient           host             site
//   dns          nxdomain, null MX bounced             -                -
//   dns          servfail, timeout deferred            -                -
//   dns          not believed      deferred, then parked (dns/resolver_watch.h)
//   connect      any failure       next host, at last deferred          rests
//   greeting     4xx, 5xx, timeout next host, at last deferred          rests
//   hello        4xx, 5xx          next host, at last deferred          rests
//   starttls     failure           next way (policy), at last deferred  -
//   mail_from    4xx               deferred            -                -
//   mail_from    5xx               bounced             -                -
//   rcpt_to      4xx / 5xx         deferred / bounced  -                -
//   data         4xx / 5xx         deferred / bounced  -                -
//   data         2xx               delivered           -                recovers
//   mail_from..  asks for TLS (*)  deferred            session is over  -
//   any          421               deferred            session is over  rests
//   mail_from..  connection lost   deferred            session is over  -
//
// A 5xx at the greeting is about us as a client of that host, not about the recipient (RFC 5321
// section 3.1: 554 "no SMTP service here"), so another host may still take the mail.
//
// (*) Said in clear text, because TLS failed a moment ago, or was not offered, or our rules switch
// it off: a matter between the two servers that says nothing about the recipient, and that passes
// when a certificate, a middlebox or a rule is mended. A receiver that never offers what it demands
// is no exception: that, too, is a state in which it would lose all mail, and will be noticed
// there.
#pragma once

#include <cstdint>

#include "mail/attempt.h"

namespace todoku::delivery::policy {

struct Verdict {
  RecipientState state = RecipientState::deferred;
  bool try_next_host = false;  // this host did not serve, another may
  bool site_failed = false;    // the lane should rest
  bool lacks_tls = false;      // (*) above; the attempt ended for want of TLS, whatever its stage
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

struct Answer {
  Stage stage = Stage::none;
  Reply reply;             // code 0: no answer
  bool permanent = false;  // without an answer: our own finding is final (no such domain)
  bool in_doubt = false;   // the content was written, the answer did not come
  bool in_clear = false;   // it was said without TLS
};

// A refusal that asks for TLS: 530 as RFC 3207 section 4 has it, 523 and X.7.10 (RFC 5248), 538 and
// X.7.11 (RFC 4954), or another refusal on grounds of security in words about TLS. Not 530
// "Authentication required" (RFC 4954).
[[nodiscard]] bool asks_for_tls(const Reply& reply);

// `at_most_once`: a mail in doubt must not be sent again and becomes unknown.
[[nodiscard]] Verdict judge(const Answer& answer, bool at_most_once);

}  // namespace todoku::delivery::policy
