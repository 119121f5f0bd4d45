// SPDX-License-Identifier: Apache-2.0
// What a failure means: the one place that decides it. From a receiver's answer, or a finding or
// decision of our own, to a Meaning: why (Cause), whether the same would fail again, whose problem
// it is and what happens next. Retry, suppression, metrics and stories read it; none of them looks
// at a reply's words again.
//
//   Answer ──meaning_of()──> Meaning ──state_of()──> RecipientState
//                               └──next_after()──> the schedule of the retry (policy/retry.h)
//
// The cause is stored with the attempt (mail/attempt.h). Attempts of versions that stored none are
// read through cause_of(), which is the same tables over what was stored.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mail/attempt.h"
#include "mail/cause.h"

namespace todoku::feedback::classify {

// How an attempt ended, before anybody has said what it means.
struct Answer {
  Stage stage = Stage::none;
  Reply reply;             // code 0: no answer, the text is our own sentence
  bool permanent = false;  // without an answer: our own finding is final (no such domain)
  bool in_doubt = false;   // the content was written, the answer did not come
  bool in_clear = false;   // it was said without TLS
  // It was taken, and the receiver tells the sender of it if that was asked for (RFC 3461 section
  // 5.2.2).
  bool receiver_reports = false;
  // A decision or finding of our own, which no answer tells; none: the answer does.
  Cause cause = Cause::none;
  bool tls_off = false;  // with in_clear: our rules switch TLS off for this site
  // Where it was said, for rules of one site (delivery/policy/site_rules.h); empty: not known.
  std::string_view site = {};
  bool by_smarthost = false;  // that of ours, of which it may speak of us (delivery/smarthost.h)
};

// Whether the same mail would fare the same again.
enum class Permanence : std::uint8_t { none /* it went well */, temporary, permanent };

// Whose problem it is, which is who can do something about it.
enum class Whose : std::uint8_t {
  nobody,
  recipient,  // the address
  content,    // what the sender sends
  receiver,   // its servers and rules
  network,    // between us and the receiver
  setup,      // the installation: DNS records, IP addresses, keys, rules, pace
  engine,     // this program
};

enum class NextStep : std::uint8_t {
  nothing,           // it went well, or nothing more is done
  retry,             // on the usual schedule
  retry_greylisted,  // when a receiver that greylists is likely to take it
  retry_slowly,      // later than usual: the receiver wants less at a time
  retry_refused,     // later still: no host of the receiver serves us now
  look_again,        // now and then, until what is ours is mended; no attempt
  soon,              // at once, as far as we are concerned; no attempt
  wait_for_operator,
  give_up,
};

struct Meaning {
  Cause cause = Cause::none;
  Permanence permanence = Permanence::none;
  Whose whose = Whose::nobody;
  NextStep next = NextStep::nothing;
  // Before that: another host of the receiver may take the mail now.
  bool other_host = false;
  // False: nobody was asked, or we broke off for reasons of our own. It uses up no attempt and says
  // nothing about the receiver.
  bool is_attempt = true;

  // It speaks of the address itself, so that more mail to it would be in vain. Not a full mailbox,
  // and no refusal of us or the mail. Suppression goes by more: speaks_against_address().
  [[nodiscard]] bool counts_against_address() const {
    return permanence == Permanence::permanent &&
           (cause == Cause::mailbox || cause == Cause::mailbox_disabled ||
            cause == Cause::no_such_domain);
  }
  friend bool operator==(const Meaning&, const Meaning&) = default;
};

[[nodiscard]] Meaning meaning_of(const Answer& answer);

// Whose name is bad, by an answer that refuses for one.
enum class BadName : std::uint8_t {
  unsaid,
  our_address,  // that we send from; another address of ours may be free of it
  another,      // of the sender's domain, of a link or of the content, whoever sends it
};

// Of an answer with Cause::reputation, or with another about how far we are trusted. `addresses`:
// ours, as receivers see them, in canonical text, as far as they are known; naming one says that it
// is meant, unless another is: many begin whatever they say with the client's address.
[[nodiscard]] BadName whose_bad_name(const Answer& answer, std::span<const std::string> addresses);

// By which rule that was decided, for who wants to know.
struct RuleBehind {
  std::string id;     // "our own finding" where nobody has answered
  std::string words;  // that it looked for and found; empty: it goes by codes
  std::string place;  // file and line; empty: the rule for what no rule knows
  std::string source;
  std::string date;
  std::string note;
};
[[nodiscard]] RuleBehind rule_behind(const Answer& answer);

// `at_most_once`: a mail in doubt must not be sent again and becomes unknown.
[[nodiscard]] RecipientState state_of(const Meaning& meaning, bool at_most_once);

// What happens next with a mail that is not over, by what is kept of its last attempt.
[[nodiscard]] NextStep next_after(Cause cause, Stage stage, int code);

[[nodiscard]] Whose whose(Cause cause);

// Whether a mail that bounced for this cause speaks against its address itself, so that it counts
// for a stop. What a receiver's filter, policy or trust in us refused never does, nor what is our
// own or the content's.
[[nodiscard]] bool speaks_against_address(Cause cause);

// Of a stored outcome: its cause, or what the tables make of it if it was stored without one.
[[nodiscard]] Cause cause_of(const Outcome& outcome);

}  // namespace todoku::feedback::classify
