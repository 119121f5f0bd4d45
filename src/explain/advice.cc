// SPDX-License-Identifier: Apache-2.0
#include "explain/advice.h"

#include <algorithm>

#include "explain/advice_table.h"
#include "feedback/classify/meaning.h"

namespace todoku::explain {

const Advice& advice_for(const Outcome& outcome, bool is_signed) {
  const Cause cause = feedback::classify::cause_of(outcome);
  const auto rules = advice_rules();
  // The last rule has no condition.
  const auto found = std::ranges::find_if(rules, [&](const AdviceRule& rule) {
    return (!rule.cause || *rule.cause == cause) && (!rule.state || *rule.state == outcome.state) &&
           (!rule.stage || *rule.stage == outcome.stage) &&
           (!rule.is_signed || *rule.is_signed == is_signed);
  });
  return found == rules.end() ? rules.back().advice : found->advice;
}

}  // namespace todoku::explain
