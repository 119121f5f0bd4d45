// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/site_habits.h"

#include <algorithm>

namespace todoku::delivery::policy {

bool SiteHabits::learn(std::string_view site, const Avoided& avoided, Evidence evidence,
                       SteadyInstant now) {
  const Avoided before = this->avoided(site, now);
  auto found = sites_.find(site);
  if (found == sites_.end()) {
    make_room(now);
    found = sites_.try_emplace(std::string(site)).first;
  }
  Habit& habit = found->second;
  const SteadyInstant until =
      now + (evidence == Evidence::said ? options_.said_for : options_.inferred_for);
  habit.learnt = now;
  if (avoided.pipelining) habit.no_pipelining_until = std::max(habit.no_pipelining_until, until);
  if (avoided.chunking) habit.no_chunking_until = std::max(habit.no_chunking_until, until);
  return this->avoided(site, now) != before;
}

Avoided SiteHabits::avoided(std::string_view site, SteadyInstant now) const {
  const auto found = sites_.find(site);
  if (found == sites_.end()) return {};
  return {.pipelining = now < found->second.no_pipelining_until,
          .chunking = now < found->second.no_chunking_until};
}

void SiteHabits::make_room(SteadyInstant now) {
  if (sites_.size() < options_.sites_max) return;
  std::erase_if(sites_, [now](const auto& entry) {
    return now >= entry.second.no_pipelining_until && now >= entry.second.no_chunking_until;
  });
  while (!sites_.empty() && sites_.size() >= options_.sites_max) {
    sites_.erase(std::ranges::min_element(sites_, {},
                                          [](const auto& entry) { return entry.second.learnt; }));
  }
}

}  // namespace todoku::delivery::policy
