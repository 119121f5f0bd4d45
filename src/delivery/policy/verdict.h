// SPDX-License-Identifier: Apache-2.0
// What an answer (or its absence) makes of the recipient, the host and the site. Why it ended so
// and what that means is decided in feedback/classify, which this reads; here is what follows for
// the lane.
//
//   stage        answer              recipient           host             site
//   dns          nxdomain, null MX   bounced             -                -
//   dns          servfail, timeout   deferred            -                -
//   dns          not believed        deferred, then parked (dns/resolver_watch.h)
//   connect      any failure         next host, at last deferred          rests
//   greeting     4xx, 5xx, timeout   next host, at last deferred          rests
//   hello        4xx, 5xx            next host, at last deferred          rests
//   starttls     failure             next way (policy), at last deferred  -
//   any          our smarthost does not let us in, or not send   deferred, not an attempt   rests
//   mail_from    4xx                 deferred            -                -
//   mail_from    5xx                 bounced             -                -
//   rcpt_to      4xx / 5xx           deferred / bounced  -                -
//   data         4xx / 5xx           deferred / bounced  -                -
//   data         2xx                 delivered           -                recovers
//   mail_from..  asks for TLS, in clear text  deferred   session is over  -
//   mail_from..  "too much at a time", 4xx    deferred   session is over  rests
//   any          refuses our address as blocklisted    deferred    source rests there
//   any          421                 deferred            session is over  rests
//   mail_from..  connection lost     deferred            session is over  -
//   any          broken off by us    deferred, not an attempt             -
#pragma once

#include <span>
#include <string>

#include "feedback/classify/meaning.h"
#include "mail/attempt.h"

namespace todoku::delivery::policy {

using Answer = feedback::classify::Answer;

struct Verdict {
  RecipientState state = RecipientState::deferred;
  Cause cause = Cause::none;
  bool is_attempt = true;
  bool try_next_host = false;    // this host did not serve, another may
  bool site_failed = false;      // the lane should rest
  bool slow_down = false;        // and it should although mails before went well
  bool refuses_us = false;       // likewise: a smarthost, whatever else is sent to it now
  bool refuses_sender = false;   // a smarthost, that of this mail; others' may go (lane_answers.h)
  bool refuses_address = false;  // of the source: it should rest there, and others send
  bool lacks_tls = false;        // the attempt ended for want of TLS, whatever its stage
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// `at_most_once`: a mail in doubt must not be sent again and becomes unknown.
[[nodiscard]] Verdict judge(const Answer& answer, bool at_most_once);

// Of an answer to a source: where the receiver refuses its address, on whose lists it says it is,
// the mail waits whatever the code, for another source or until the address is off the list.
// `addresses`: see classify::whose_bad_name(). `is_listed`: that the address is on a blocklist is
// known already, so that a bad name there is the address's unless another is said to have it.
[[nodiscard]] Verdict judge_for_source(const Answer& answer, bool at_most_once,
                                       std::span<const std::string> addresses, bool is_listed);

// Of what a smarthost of ours has said. What it says of us, of our account there, our login or our
// address, is no recipient's fault, whatever its code: the mail waits (Cause::smarthost), and the
// source rests. What it says of the sender of one mail, or of a bad name without saying whose, lets
// that mail wait and does not keep others' from going. A bad name of the sender's domain, of a link
// or of the content is that mail's, as a receiver's word of it is.
[[nodiscard]] Verdict judge_smarthost(Answer answer, bool at_most_once);

// How a recipient fares by a decision or finding of our own, which no receiver has said: `words`
// tell it. `permanent` where the cause alone does not say so.
struct Finding {
  Cause cause = Cause::none;
  Stage stage = Stage::none;
  std::string words;
  bool permanent = false;
};
[[nodiscard]] Outcome outcome_of(Finding finding);

}  // namespace todoku::delivery::policy
