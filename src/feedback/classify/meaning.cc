// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/meaning.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "feedback/classify/own_rules.h"
#include "feedback/classify/reply_rules.h"
#include "feedback/classify/tls_demand.h"
#include "feedback/classify/traits.h"
#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

SaidByReceiver said_by(const Answer& answer) {
  return {.stage = answer.stage,
          .code = answer.reply.code,
          .text = answer.reply.text,
          .site = answer.site,
          .by_smarthost = answer.by_smarthost};
}

// A receiver that wants TLS says so before it takes the content. What it says of encryption after
// that is about attachments, links or S/MIME.
bool asks_for_tls(const Answer& answer, const ReplyRule& rule) {
  const Reply& reply = answer.reply;
  const bool refused = reply.temporary() || reply.permanent();
  if (!answer.in_clear || !refused || reply.code == kServiceClosing) return false;
  if (answer.stage == Stage::data) return refuses_content_in_clear(reply);
  if (answer.stage != Stage::mail_from && answer.stage != Stage::rcpt_to) return false;
  if (asks_for_tls_by_status(reply)) return true;
  if (asks_for_tls_in_words(reply)) return !rule.gives_the_reason();
  return asks_for_tls_by_code(reply) && !rule.is_specific();
}

Cause cause_of_answer(const Answer& answer) {
  // Whoever broke it off, and why: it may have arrived.
  if (answer.in_doubt && answer.reply.code == 0) {
    return answer.cause == Cause::garbled_in_doubt ? answer.cause : Cause::in_doubt;
  }
  if (answer.cause != Cause::none) return answer.cause;
  if (answer.reply.code == 0) return own_cause(answer.stage, answer.reply, answer.permanent);
  const ReplyRule& rule = reply_rules_in_force().rule_for(said_by(answer));
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

BadName whose_bad_name(const Answer& answer, std::span<const std::string> addresses) {
  if (answer.reply.code == 0) return BadName::unsaid;
  const ReplyRules& rules = reply_rules_in_force();
  if (rules.rule_for(said_by(answer)).of_our_address) return BadName::our_address;
  if (rules.speaks_of_no_address(answer.reply.text)) return BadName::another;
  const auto names = [&](const std::string& address) {
    // "192.0.2.1" is not in "192.0.2.11" or "1192.0.2.1"; the end of a sentence is no part of it.
    const auto is_part = [](char c) { return is_word_octet(c) || c == ':'; };
    const std::string_view text = answer.reply.text;
    for (std::size_t at = text.find(address); at != std::string_view::npos;
         at = text.find(address, at + 1)) {
      const std::size_t end = at + address.size();
      const bool begins = at == 0 || !(is_part(text[at - 1]) || text[at - 1] == '.');
      if (begins && (end == text.size() || !is_part(text[end]))) return true;
    }
    return false;
  };
  return std::ranges::any_of(addresses, names) ? BadName::our_address : BadName::unsaid;
}

RuleBehind rule_behind(const Answer& answer) {
  if (answer.cause != Cause::none || answer.reply.code == 0) return {.id = "our own finding"};
  const ReplyRules& rules = reply_rules_in_force();
  const SaidByReceiver said = said_by(answer);
  const ReplyRule& rule = rules.rule_for(said);
  return {.id = rule.id,
          .words = std::string(rules.words_found(rule, said)),
          .place = rule.place,
          .source = rule.source,
          .date = rule.date,
          .note = rule.note};
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
      reply.code == 0
          ? own_cause(outcome.stage, reply, outcome.state == RecipientState::bounced)
          : reply_rules_in_force()
                .rule_for({.stage = outcome.stage, .code = reply.code, .text = reply.text})
                .cause;
  const bool unsaid = outcome.state == RecipientState::dropped && cause == Cause::unclear;
  return unsaid ? Cause::suppressed : cause;
}

}  // namespace todoku::feedback::classify
