// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/verdict.h"

#include <utility>

namespace todoku::delivery::policy {
namespace {

namespace classify = feedback::classify;

bool speaks_of_the_site(const Answer& answer) {
  return answer.reply.code == kServiceClosing || answer.stage == Stage::connect ||
         answer.stage == Stage::greeting || answer.stage == Stage::hello;
}

// Of whom a smarthost of ours speaks.
enum class SmarthostMeans { the_mail, its_sender, us };

// Whoever the recipient is, some of it is between it and us. How it looks at our pace is a lane's
// usual matter, unless that is its last word. `verdict`: what a receiver's answer would mean.
SmarthostMeans smarthost_means(const Answer& answer, const Verdict& verdict) {
  using enum SmarthostMeans;
  using classify::BadName;
  const bool last_word = verdict.state == RecipientState::bounced;
  switch (verdict.cause) {
    case Cause::client_auth:
    case Cause::relay:
    case Cause::tls_required:
    case Cause::tls_switched_off:
    case Cause::tls_failed:
    case Cause::no_tls_offered:
    case Cause::smarthost:
      return us;
    case Cause::sender_address:
      return its_sender;
    case Cause::rate:
    case Cause::reverse_dns:
    case Cause::hello_name:
      if (!last_word) return the_mail;
      return classify::whose_bad_name(answer, {}) == BadName::another ? its_sender : us;
    case Cause::unsolicited:
    case Cause::reputation:
      if (!last_word) return the_mail;
      switch (classify::whose_bad_name(answer, {})) {
        case BadName::our_address:
          return us;
        case BadName::another:
          return the_mail;
        case BadName::unsaid:
          return its_sender;
      }
      return its_sender;
    default:
      return the_mail;
  }
}

}  // namespace

Verdict judge(const Answer& answer, bool at_most_once) {
  const classify::Meaning meaning = classify::meaning_of(answer);
  Verdict verdict{.state = classify::state_of(meaning, at_most_once),
                  .cause = meaning.cause,
                  .is_attempt = meaning.is_attempt};
  // Whoever tries a wrong password again and again is locked out.
  verdict.site_failed = meaning.cause == Cause::smarthost;
  const bool in_doubt =
      meaning.cause == Cause::in_doubt || meaning.cause == Cause::garbled_in_doubt;
  const bool asked = meaning.is_attempt && !in_doubt;
  if (!asked || verdict.state == RecipientState::delivered) return verdict;
  const bool temporary = meaning.permanence == classify::Permanence::temporary;
  verdict.try_next_host = meaning.other_host;
  verdict.slow_down = temporary &&
                      (meaning.cause == Cause::rate || meaning.cause == Cause::unsolicited) &&
                      answer.reply.code != kServiceClosing && !meaning.other_host;
  verdict.site_failed = speaks_of_the_site(answer) || verdict.slow_down;
  verdict.lacks_tls =
      temporary && answer.in_clear && answer.stage >= Stage::mail_from &&
      (meaning.cause == Cause::tls_required || meaning.cause == Cause::tls_switched_off);
  return verdict;
}

Verdict judge_for_source(const Answer& answer, bool at_most_once,
                         std::span<const std::string> addresses, bool is_listed) {
  Verdict verdict = judge(answer, at_most_once);
  if (verdict.cause != Cause::reputation || answer.reply.code == 0) return verdict;
  const classify::BadName name = classify::whose_bad_name(answer, addresses);
  verdict.refuses_address =
      name == classify::BadName::our_address || (is_listed && name == classify::BadName::unsaid);
  if (verdict.refuses_address) verdict.state = RecipientState::deferred;
  return verdict;
}

Verdict judge_smarthost(Answer answer, bool at_most_once) {
  answer.by_smarthost = true;
  const Verdict said = judge(answer, at_most_once);
  if (answer.in_doubt) return said;
  const SmarthostMeans means = smarthost_means(answer, said);
  if (means == SmarthostMeans::the_mail) return said;
  answer.cause = Cause::smarthost;
  Verdict verdict = judge(answer, at_most_once);
  verdict.refuses_us = means == SmarthostMeans::us;
  verdict.refuses_sender = means == SmarthostMeans::its_sender;
  return verdict;
}

Outcome outcome_of(Finding finding) {
  const Answer answer{.stage = finding.stage,
                      .reply = {0, std::move(finding.words)},
                      .permanent = finding.permanent,
                      .cause = finding.cause};
  const classify::Meaning meaning = classify::meaning_of(answer);
  return {.state = classify::state_of(meaning, false),
          .stage = answer.stage,
          .reply = answer.reply,
          .is_attempt = meaning.is_attempt,
          .cause = meaning.cause};
}

}  // namespace todoku::delivery::policy
