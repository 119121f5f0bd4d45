// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/meaning.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "feedback/classify/rules.h"
#include "feedback/classify/tls_demand.h"
#include "feedback/classify/traits.h"
#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

struct Facts {
  Stage stage = Stage::none;
  int code = 0;
  std::optional<EnhancedStatus> enhanced;
  std::string words;
  Party party = Party::recipient;
  bool permanent = false;
};

bool fits(const Rule& rule, const Facts& facts) {
  if (rule.is_about_recipient() && facts.party != Party::recipient) return false;
  // "550 4.2.1": refused now, and the mailbox is well.
  const bool for_now = facts.code >= 500 && facts.enhanced && facts.enhanced->klass == 4;
  if (rule.is_about_recipient() && for_now) return false;
  if (rule.party && *rule.party != facts.party) return false;
  if (!rule.stages.allow(facts.stage)) return false;
  if (rule.codes.low != 0 && (facts.code < rule.codes.low || facts.code > rule.codes.high)) {
    return false;
  }
  if (rule.subject >= 0) {
    if (!facts.enhanced || facts.enhanced->subject != rule.subject) return false;
    if (rule.detail >= 0 && facts.enhanced->detail != rule.detail) return false;
  }
  if (rule.unless >= 0 && facts.enhanced && facts.enhanced->subject == rule.unless) return false;
  return !rule.permanent || *rule.permanent == facts.permanent;
}

bool begins_with_one(std::string_view words, std::string_view phrases) {
  while (!phrases.empty()) {
    const std::size_t bar = std::min(phrases.find('|'), phrases.size());
    const std::string_view phrase = phrases.substr(0, bar);
    if (phrase.starts_with('*') ? words.contains(phrase.substr(1)) : words.starts_with(phrase)) {
      return true;
    }
    phrases.remove_prefix(std::min(bar + 1, phrases.size()));
  }
  return false;
}

const Rule& rule_for(Stage stage, const Reply& reply, bool permanent) {
  const bool ours = reply.code == 0;
  Facts facts{.stage = stage,
              .code = reply.code,
              .enhanced = ours ? reply.enhanced() : enhanced_of(reply.text),
              .words = readable(reply.text),
              .permanent = permanent};
  if (!ours) facts.party = party_of(without_names(facts.words));
  std::string_view words = facts.words;
  if (ours && facts.enhanced) {
    words.remove_prefix(std::min(words.find(' '), words.size() - 1) + 1);
  }
  const auto rules = ours ? own_rules() : reply_rules();
  const auto found = std::ranges::find_if(rules, [&](const Rule& rule) {
    if (!fits(rule, facts)) return false;
    if (rule.phrases.empty()) return true;
    if (rule.at_begin) return begins_with_one(words, rule.phrases);
    return ours ? begins_with_one(words, rule.phrases) : has_phrase(words, rule.phrases);
  });
  return found == rules.end() ? rules.back() : *found;
}

// Only words can speak against words.
bool gives_the_reason(const Rule& rule) {
  return !rule.phrases.empty() && !rule.leaves_the_reason_open;
}

// A receiver that wants TLS says so before it takes the content. What it says of encryption after
// that is about attachments, links or S/MIME.
bool asks_for_tls(const Answer& answer, const Rule& rule) {
  const Reply& reply = answer.reply;
  const bool refused = reply.temporary() || reply.permanent();
  if (!answer.in_clear || !refused || reply.code == kServiceClosing) return false;
  if (answer.stage == Stage::data) return refuses_content_in_clear(reply);
  if (answer.stage != Stage::mail_from && answer.stage != Stage::rcpt_to) return false;
  if (asks_for_tls_by_status(reply)) return true;
  if (asks_for_tls_in_words(reply)) return !gives_the_reason(rule);
  return asks_for_tls_by_code(reply) && !rule.is_specific();
}

Cause cause_of_answer(const Answer& answer) {
  // Whoever broke it off, and why: it may have arrived.
  if (answer.in_doubt && answer.reply.code == 0) {
    return answer.cause == Cause::garbled_in_doubt ? answer.cause : Cause::in_doubt;
  }
  if (answer.cause != Cause::none) return answer.cause;
  const Rule& rule = rule_for(answer.stage, answer.reply, answer.permanent);
  if (asks_for_tls(answer, rule)) {
    return answer.tls_off ? Cause::tls_switched_off : Cause::tls_required;
  }
  return rule.cause;
}

// A matter between the two servers that says nothing about the recipient, and that passes when a
// certificate, a middlebox or a rule is mended. A receiver that never offers what it demands is no
// exception: that, too, is a state in which it would lose all mail, and will be noticed there.
bool wants_tls_in_clear(const Answer& answer, Cause cause) {
  return answer.in_clear && (cause == Cause::tls_required || cause == Cause::tls_switched_off);
}

bool is_permanent(const Answer& answer, Cause cause) {
  // Before the envelope an answer is about us as a client of that host: RFC 5321 section 3.1, 554
  // "no SMTP service here".
  if (answer.reply.code != 0 && answer.stage < Stage::mail_from) return false;
  switch (traits_of(cause).ends) {
    case Traits::Ends::temporary:
      return false;
    case Traits::Ends::permanent:
      return answer.reply.code == 0 || answer.reply.permanent();
    case Traits::Ends::by_answer:
      break;
  }
  if (answer.reply.code == 0) return answer.permanent;
  // 421 is about the connection. 4xx, and every answer that has no meaning at its stage: try again
  // later.
  return answer.reply.permanent() && !wants_tls_in_clear(answer, cause);
}

}  // namespace

Meaning meaning_of(const Answer& answer) {
  if (answer.stage == Stage::accepted && answer.reply.positive()) return {};
  const Cause cause = cause_of_answer(answer);
  const Traits& traits = traits_of(cause);
  const bool permanent = is_permanent(answer, cause);
  const bool before_envelope = answer.stage >= Stage::connect && answer.stage < Stage::mail_from;
  return {.cause = cause,
          .permanence = permanent ? Permanence::permanent : Permanence::temporary,
          .whose = traits.whose,
          .next = !permanent ? next_after(cause, answer.stage, answer.reply.code)
                  : traits.again == NextStep::nothing ? NextStep::nothing
                                                      : NextStep::give_up,
          .other_host = before_envelope && answer.stage != Stage::auth && traits.is_attempt,
          .is_attempt = traits.is_attempt};
}

std::string rule_behind(const Answer& answer) {
  if (answer.cause != Cause::none) return "our own finding";
  const Rule& rule = rule_for(answer.stage, answer.reply, answer.permanent);
  const std::string words = readable(answer.reply.text);
  std::string_view phrases = rule.phrases;
  while (!phrases.empty()) {
    const std::size_t bar = std::min(phrases.find('|'), phrases.size());
    if (has_phrase(words, phrases.substr(0, bar))) {
      return "words: " + std::string(phrases.substr(0, bar));
    }
    phrases.remove_prefix(std::min(bar + 1, phrases.size()));
  }
  if (rule.subject >= 0) {
    return "status X." + std::to_string(rule.subject) +
           (rule.detail >= 0 ? "." + std::to_string(rule.detail) : ".*");
  }
  if (rule.codes.low != 0) {
    return rule.codes.low == rule.codes.high
               ? "code " + std::to_string(rule.codes.low)
               : "code " + std::to_string(rule.codes.low) + "-" + std::to_string(rule.codes.high);
  }
  return "nothing known";
}

RecipientState state_of(const Meaning& meaning, bool at_most_once) {
  if (meaning.permanence == Permanence::none) return RecipientState::delivered;
  switch (meaning.cause) {
    case Cause::in_doubt:
    case Cause::garbled_in_doubt:
      return at_most_once ? RecipientState::unknown : RecipientState::deferred;
    case Cause::suppressed:
    case Cause::too_large:
      return RecipientState::dropped;  // never sent
    case Cause::cancelled:
      return RecipientState::cancelled;
    case Cause::out_of_time:
      return RecipientState::expired;
    default:
      return meaning.permanence == Permanence::permanent ? RecipientState::bounced
                                                         : RecipientState::deferred;
  }
}

NextStep next_after(Cause cause, Stage stage, int code) {
  const bool refused_at_the_door =
      (stage == Stage::greeting || stage == Stage::hello) && code >= 500;
  return refused_at_the_door ? NextStep::retry_refused : traits_of(cause).again;
}

bool is_of_tls(Cause cause) {
  switch (cause) {
    case Cause::tls_failed:
    case Cause::tls_required:
    case Cause::tls_switched_off:
    case Cause::no_tls_offered:
    case Cause::dane_failed:
    case Cause::tlsa_not_answered:
      return true;
    default:
      return false;
  }
}

bool speaks_against_address(Cause cause) {
  switch (cause) {
    case Cause::mailbox:
    case Cause::mailbox_full:
    case Cause::mailbox_disabled:
    case Cause::bad_address:
    case Cause::moved:
    case Cause::no_such_domain:
    case Cause::null_mx:
      return true;
    default:
      return false;
  }
}

Whose whose(Cause cause) {
  return traits_of(cause).whose;
}

Cause cause_of(const Outcome& outcome) {
  if (outcome.cause != Cause::none) return outcome.cause;
  const Reply& reply = outcome.reply;
  switch (outcome.state) {
    case RecipientState::pending:
    case RecipientState::delivered:
      return Cause::none;
    case RecipientState::unknown:
      return Cause::in_doubt;
    case RecipientState::cancelled:
      return Cause::cancelled;
    case RecipientState::expired:
      if (outcome.stage == Stage::none) return Cause::out_of_time;
      break;
    case RecipientState::dropped:
      if (reply.text.empty()) return Cause::suppressed;
      break;
    case RecipientState::deferred:
    case RecipientState::bounced:
      break;
  }
  const Cause cause =
      rule_for(outcome.stage, reply, outcome.state == RecipientState::bounced).cause;
  const bool unsaid = outcome.state == RecipientState::dropped && cause == Cause::unclear;
  return unsaid ? Cause::suppressed : cause;
}

}  // namespace todoku::feedback::classify
