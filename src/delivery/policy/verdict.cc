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

// Whether a smarthost that answers so speaks of us, whoever the recipient is. How it looks at our
// pace is a lane's usual matter, unless that is its last word.
bool is_between_us(const Verdict& verdict) {
  switch (verdict.cause) {
    case Cause::client_auth:
    case Cause::relay:
    case Cause::sender_address:
    case Cause::tls_required:
    case Cause::tls_switched_off:
    case Cause::tls_failed:
    case Cause::no_tls_offered:
    case Cause::smarthost:
      return true;
    case Cause::rate:
    case Cause::unsolicited:
    case Cause::reputation:
    case Cause::reverse_dns:
    case Cause::hello_name:
      return verdict.state == RecipientState::bounced;
    default:
      return false;
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
  verdict.refuses_address = is_listed || classify::refuses_our_address(answer, addresses);
  if (verdict.refuses_address) verdict.state = RecipientState::deferred;
  return verdict;
}

Verdict judge_smarthost(Answer answer, bool at_most_once) {
  answer.by_smarthost = true;
  const Verdict said = judge(answer, at_most_once);
  if (answer.in_doubt || !is_between_us(said)) return said;
  answer.cause = Cause::smarthost;
  Verdict verdict = judge(answer, at_most_once);
  verdict.refuses_us = said.cause != Cause::sender_address;
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
