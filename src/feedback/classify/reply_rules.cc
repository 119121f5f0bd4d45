// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/reply_rules.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/in_force.h"
#include "feedback/classify/shipped_reply_rules.h"
#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

struct Facts {
  const SaidByReceiver& said;
  std::optional<EnhancedStatus> enhanced;
  Party party;
};

bool fits(const ReplyRule& rule, const Facts& facts) {
  if (!rule.site.empty() && rule.site != facts.said.site) return false;
  if (rule.of_smarthost && !facts.said.by_smarthost) return false;
  if (rule.is_about_recipient() && !rule.party && facts.party != Party::recipient) return false;
  // "354" and "999" refuse nobody.
  const bool refused = facts.said.code >= 400 && facts.said.code < 600;
  if (rule.is_about_recipient() && !refused) return false;
  // "550 4.2.1": refused now, and the mailbox is well.
  const bool for_now = facts.said.code >= 500 && facts.enhanced && facts.enhanced->klass == 4;
  if (rule.is_about_recipient() && for_now) return false;
  if (rule.party && *rule.party != facts.party) return false;
  if (!rule.stages.allow(facts.said.stage)) return false;
  if (rule.codes.low != 0 &&
      (facts.said.code < rule.codes.low || facts.said.code > rule.codes.high)) {
    return false;
  }
  if (rule.subject >= 0) {
    if (!facts.enhanced || facts.enhanced->subject != rule.subject) return false;
    if (rule.detail >= 0 && facts.enhanced->detail != rule.detail) return false;
  }
  return rule.unless < 0 || !facts.enhanced || facts.enhanced->subject != rule.unless;
}

bool is_worded(const ReplyRule& rule, const PhraseSet::Found& found) {
  const auto is_found = [&](std::size_t number) { return found.has(number); };
  const auto is_said = [&](const ReplyRule::Said& one) { return found.has(one.number); };
  return (rule.said.empty() || std::ranges::any_of(rule.said, is_said)) &&
         std::ranges::all_of(rule.with,
                             [&](const std::vector<std::size_t>& list) {
                               return std::ranges::any_of(list, is_found);
                             }) &&
         std::ranges::none_of(rule.without, is_found);
}

InForce<ReplyRules>& in_force() {
  static InForce<ReplyRules> rules;
  return rules;
}

}  // namespace

ReplyRules::Layer ReplyRules::shipped_layer() {
  return {"rules/replies.toml", std::string(shipped_reply_rules())};
}

const ReplyRules& ReplyRules::shipped() {
  static const ReplyRules rules = [] {
    auto parsed = parse(std::array{shipped_layer()});
    check(parsed.has_value(), parsed ? "" : parsed.error().detail);
    return *std::move(parsed);
  }();
  return rules;
}

const ReplyRule& ReplyRules::rule_for(const SaidByReceiver& said) const {
  const std::string words = readable(said.text);
  const Facts facts{said, enhanced_of(said.text), party_of(without_names(words))};
  const PhraseSet::Found found = phrases_.find(words);
  const auto rule = std::ranges::find_if(
      rules_, [&](const ReplyRule& each) { return fits(each, facts) && is_worded(each, found); });
  return rule == rules_.end() ? otherwise_ : *rule;
}

std::string_view ReplyRules::words_found(const ReplyRule& rule, const SaidByReceiver& said) const {
  const PhraseSet::Found found = phrases_.find(readable(said.text));
  const auto one = std::ranges::find_if(
      rule.said, [&](const ReplyRule::Said& each) { return found.has(each.number); });
  return one == rule.said.end() ? std::string_view() : std::string_view(one->words);
}

Party ReplyRules::party_of(std::string_view words) const {
  const PhraseSet::Found found = party_phrases_.find(words);
  const auto has = [&](Words list) {
    return std::ranges::any_of(party_words_[static_cast<std::size_t>(list)],
                               [&](std::size_t number) { return found.has(number); });
  };
  using enum Words;
  if (has(sender) || (has(sender_named) && !has(returned))) return Party::sender;
  if (has(verified) && !has(recipient_verified)) return Party::sender;
  if (has(host) || has(let_in) || has(how_much)) return Party::us;
  if (has(many) && !has(many_in_mailbox)) return Party::us;
  if (has(blocked) && !has(blocked_mailbox)) return Party::us;
  return has(content) ? Party::content : Party::recipient;
}

bool ReplyRules::speaks_of_no_address(std::string_view text) const {
  const PhraseSet::Found found = phrases_.find(readable(text));
  return std::ranges::any_of(not_our_address_,
                             [&](std::size_t number) { return found.has(number); });
}

const ReplyRules& reply_rules_in_force() {
  const ReplyRules* rules = in_force().get();
  return rules == nullptr ? ReplyRules::shipped() : *rules;
}

void put_in_force(ReplyRules rules) {
  in_force().put(std::move(rules));
}

}  // namespace todoku::feedback::classify
