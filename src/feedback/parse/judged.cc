// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/judged.h"

#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "feedback/classify/meaning.h"
#include "feedback/classify/party.h"
#include "feedback/classify/words.h"
#include "feedback/parse/quoted_reply.h"
#include "feedback/parse/reporter_words.h"

namespace todoku::feedback::parse {
namespace {

using classify::Answer;
using classify::Meaning;
using classify::Permanence;

// Of "5.1.1" what a server would answer with it (RFC 3463 section 2): 550, of 4.x.y 450.
int code_of(std::string_view status) {
  if (status.starts_with("4.")) return 450;
  return status.starts_with("5.") ? 550 : 0;
}

// The reply as it may have been said: a reporting system that quotes no code has words and a
// status.
Reply whole_reply(const ReturnedRecipient& recipient) {
  Reply reply = recipient.reply;
  if (reply.code == 0) {
    reply.code = code_of(recipient.status);
    // It was given up, and for good where nobody says otherwise.
    if (reply.code == 0) {
      reply.code = recipient.action == ReturnedRecipient::Action::delayed ? 450 : 550;
    }
  }
  return reply;
}

Reply with_status(Reply reply, std::string_view status) {
  if (!status.empty() && !quoted_status(reply.text.substr(0, status.size())).starts_with(status)) {
    reply.text = std::string(status) + " " + reply.text;
  }
  return reply;
}

// What is no failure of delivery.
Judged without_cause(std::string word, std::string rule, bool suppress = false) {
  return {.word = std::move(word),
          .cause = Cause::none,
          .permanent = false,
          .suppress = suppress,
          .rule = std::move(rule)};
}

Judged judged(const Meaning& meaning, std::string rule) {
  return {.word = std::string(to_string(meaning.cause)),
          .cause = meaning.cause,
          .permanent = meaning.permanence == Permanence::permanent,
          .suppress = meaning.counts_against_address(),
          .rule = std::move(rule)};
}

// What the reporting system found by itself. The mailbox is not to blame, but the domain may be.
Judged judge_finding(const ReturnedRecipient& recipient, Cause cause) {
  const bool for_good = cause == Cause::no_such_domain || cause == Cause::null_mx;
  // Name servers that do not answer, and a name that may come: Postfix writes "Host not found, try
  // again" of the first.
  if (for_good && (recipient.status.starts_with("4.") || says_for_now(recipient.reply.text))) {
    cause = Cause::dns_failed;
  }
  const Answer answer{.stage = Stage::connect,
                      .reply = {.code = 0, .text = recipient.reply.text},
                      .permanent = for_good && cause != Cause::dns_failed,
                      .cause = cause};
  Judged found = judged(classify::meaning_of(answer), "words of the reporting system");
  // Whether it would take as long again nobody knows.
  if (cause == Cause::out_of_time) found.permanent = false;
  return found;
}

// "550 5.1.2 ... Host unknown", of nobody but the recipient.
bool is_of_destination(const ReturnedRecipient& recipient) {
  const std::string told = quoted_status(recipient.reply.text);
  const std::string_view status = told.empty() ? std::string_view(recipient.status) : told;
  if (!recipient.reply.permanent() || (status != "5.1.2" && status != "5.4.4")) return false;
  const std::string words = classify::without_names(classify::readable(recipient.reply.text));
  return classify::party_of(words) == classify::Party::recipient &&
         !classify::has_phrase(words, "helo|ehlo|sender*|client host|reverse*");
}

// What a reply's code alone, or nothing, decided: other words may say more.
bool leaves_open(Cause cause) {
  return cause == Cause::unclear || cause == Cause::policy || cause == Cause::relay ||
         cause == Cause::receiver_trouble;
}

Judged judge_words(const ReturnedRecipient& recipient) {
  Judged by_reply = judge_reply(whole_reply(recipient), recipient.stage, recipient.site);
  if (!leaves_open(by_reply.cause)) return by_reply;
  const bool is_over = recipient.action != ReturnedRecipient::Action::delayed;
  if (is_over && says_expired(recipient.reply.text)) {
    return judge_finding(recipient, Cause::out_of_time);
  }
  const bool is_quoted = recipient.reply.code != 0;
  // Whom a receiver that is quoted did not find may be us, the sender, or a host in the content;
  // only its status says that it is the recipient's (RFC 3463 X.1.2).
  if (is_quoted && is_of_destination(recipient) &&
      cause_of_reporter(recipient.reply.text, "") == Cause::no_such_domain) {
    return judge_finding(recipient, Cause::no_such_domain);
  }
  const auto cause = cause_of_reporter(recipient.reply.text, recipient.status);
  if (cause && !is_quoted) return judge_finding(recipient, *cause);
  if (by_reply.cause == Cause::unclear && !recipient.status.empty()) {
    return judge_reply(with_status(whole_reply(recipient), recipient.status), recipient.stage,
                       recipient.site);
  }
  return by_reply;
}

}  // namespace

Judged judge_reply(const Reply& reply, Stage stage, std::string_view site) {
  if (reply.positive()) {
    return without_cause("delivered", "code");
  }
  // Whether it was said under TLS no report tells: one that asks for it was not.
  const Answer answer{.stage = stage, .reply = reply, .in_clear = true, .site = site};
  const classify::RuleBehind rule = classify::rule_behind(answer);
  return judged(classify::meaning_of(answer),
                rule.words.empty() ? rule.id : fmt::format("{}: {}", rule.id, rule.words));
}

Judged judge(const Bounce& bounce, const ReturnedRecipient* recipient) {
  switch (bounce.kind) {
    case Bounce::Kind::none:
      return without_cause("none", "no report");
    case Bounce::Kind::complaint:
      return without_cause("complaint", "feedback-type", true);
    case Bounce::Kind::no_spam:
      return without_cause("not_spam", "feedback-type");
    case Bounce::Kind::auth_failure:
      return without_cause("auth_failure", "feedback-type");
    case Bounce::Kind::auto_reply:
      return without_cause("auto_reply", "automatic answer");
    case Bounce::Kind::report:
      break;
  }
  if (recipient == nullptr || recipient->action == ReturnedRecipient::Action::delivered) {
    return without_cause("delivered", "action");
  }
  Judged by_words = judge_words(*recipient);
  // What is still being tried is not over, whatever its reason; and who says "not now" (RFC 5321
  // section 4.2.1) has said nothing for good.
  const bool not_now = recipient->reply.temporary() ||
                       (recipient->reply.code == 0 && recipient->status.starts_with("4."));
  if (recipient->action == ReturnedRecipient::Action::delayed || not_now) {
    by_words.permanent = by_words.suppress = false;
  }
  return by_words;
}

}  // namespace todoku::feedback::parse
