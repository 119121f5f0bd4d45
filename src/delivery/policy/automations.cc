// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/automations.h"

#include <algorithm>
#include <optional>

#include "base/in_force.h"
#include "delivery/policy/shipped_automations.h"
#include "feedback/classify/words.h"

namespace todoku::delivery::policy {
namespace {

InForce<Automations>& those_in_force() {
  static InForce<Automations> automations;
  return automations;
}

template <class T, class U>
bool none_or_has(const std::vector<T>& list, const U& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

}  // namespace

Automations::Layer Automations::shipped_layer() {
  return {"rules/automations.toml", std::string(shipped_automations())};
}

std::vector<const Automation*> Automations::set_off_by(const BadAnswer& answer) const {
  std::vector<const Automation*> set_off;
  std::optional<feedback::classify::PhraseSet::Found> found;
  for (const Automation& each : all_) {
    if (!none_or_has(each.sites, answer.site) || !none_or_has(each.causes, answer.cause)) continue;
    if (!each.said.empty()) {
      // Only where some automation of the site looks for words.
      if (!found) found = phrases_.find(feedback::classify::readable(answer.text));
      const auto is_said = [&](std::size_t number) { return found->has(number); };
      if (std::ranges::none_of(each.said, is_said)) continue;
    }
    set_off.push_back(&each);
  }
  return set_off;
}

const Automations& automations_in_force() {
  static const Automations none;
  const Automations* automations = those_in_force().get();
  return automations == nullptr ? none : *automations;
}

void put_in_force(Automations automations) {
  those_in_force().put(std::move(automations));
}

bool AutomationCounts::counted(const Automation& automation, SteadyInstant now) {
  std::vector<SteadyInstant>& answers = answers_[&automation];
  std::erase_if(answers, [&](SteadyInstant at) { return now - at > automation.within; });
  answers.push_back(now);
  if (answers.size() < automation.times) return false;
  answers_.erase(&automation);
  return true;
}

bool AutomationCounts::counts(SteadyInstant now) const {
  return std::ranges::any_of(answers_, [now](const auto& entry) {
    const auto& [automation, answers] = entry;
    return !answers.empty() && now - answers.back() <= automation->within;
  });
}

}  // namespace todoku::delivery::policy
