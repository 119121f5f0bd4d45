// SPDX-License-Identifier: Apache-2.0
#include "explain/advice.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "explain/advice_table.h"

namespace todoku::explain {
namespace {

bool says(std::string_view lower_text, std::string_view phrases) {
  while (!phrases.empty()) {
    const std::size_t bar = std::min(phrases.find('|'), phrases.size());
    if (lower_text.contains(phrases.substr(0, bar))) return true;
    phrases.remove_prefix(std::min(bar + 1, phrases.size()));
  }
  return false;
}

struct Facts {
  const Outcome& outcome;
  std::optional<EnhancedStatus> enhanced;
  std::string lower_text;
};

bool matches(const AdviceRule& rule, const Facts& facts) {
  const int code = facts.outcome.reply.code;
  if (rule.stage && *rule.stage != facts.outcome.stage) return false;
  if (rule.state && *rule.state != facts.outcome.state) return false;
  if (rule.answered && *rule.answered != (code != 0)) return false;
  if (rule.code_low != 0 && (code < rule.code_low || code > rule.code_high)) return false;
  if (rule.subject >= 0) {
    if (!facts.enhanced || facts.enhanced->subject != rule.subject) return false;
    if (rule.detail >= 0 && facts.enhanced->detail != rule.detail) return false;
  }
  return rule.phrases.empty() || says(facts.lower_text, rule.phrases);
}

}  // namespace

const Advice& advice_for(const Outcome& outcome) {
  const Facts facts{.outcome = outcome,
                    .enhanced = outcome.reply.enhanced(),
                    .lower_text = to_ascii_lower(outcome.reply.text)};
  const auto rules = advice_rules();
  // The last rule has no condition.
  const auto found =
      std::ranges::find_if(rules, [&](const AdviceRule& rule) { return matches(rule, facts); });
  return found == rules.end() ? rules.back().advice : found->advice;
}

}  // namespace todoku::explain
