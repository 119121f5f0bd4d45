// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/source_watch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "delivery/policy/pools.h"

namespace todoku::delivery::policy {
namespace {

std::vector<RenewalWatch::Seen> leases_of(const std::vector<SourceSeen>& owners) {
  std::vector<RenewalWatch::Seen> leases;
  for (const SourceSeen& owner : owners) {
    leases.push_back({.node = owner.node, .until = owner.until, .is_void = owner.is_void});
  }
  return leases;
}

// How many each has.
std::map<std::int64_t, std::size_t> counts_of(const std::vector<SourceSeen>& owners) {
  std::map<std::int64_t, std::size_t> counts;
  for (const SourceSeen& owner : owners) ++counts[owner.node];
  return counts;
}

}  // namespace

void SourceWatch::couriers(std::vector<CourierSeen> couriers, SteadyInstant asked) {
  couriers_ = std::move(couriers);
  couriers_asked_ = asked;
}

bool SourceWatch::another_has_fewer(const std::string& source,
                                    const std::vector<SourceSeen>& owners,
                                    std::int64_t itself) const {
  const auto counts = counts_of(owners);
  const auto has = [&](std::int64_t node) {
    const auto found = counts.find(node);
    return found == counts.end() ? std::size_t{0} : found->second;
  };
  return std::ranges::any_of(couriers_, [&](const CourierSeen& courier) {
    return courier.node != itself && courier.could.contains(source) &&
           has(courier.node) < has(itself);
  });
}

// Only of what stays: while something ends or is free, that is somebody's first.
std::optional<std::string> SourceWatch::to_hand_over(const std::vector<SourceSeen>& owners,
                                                     std::int64_t itself, SteadyInstant now) {
  std::map<std::string, std::int64_t> owned;
  for (const SourceSeen& owner : owners) {
    if (!owner.is_void) owned.emplace(owner.source, owner.node);
  }
  const bool is_settled =
      ending_.empty() && std::ranges::all_of(couriers_, [&](const CourierSeen& courier) {
        return std::ranges::all_of(
            courier.could, [&](const std::string& source) { return owned.contains(source); });
      });
  return balance_.look(couriers_, owned, itself, is_settled, now);
}

SourceWatch::Steps SourceWatch::look(const std::vector<Configured>& configured,
                                     const std::vector<SourceSeen>& owners, std::int64_t itself,
                                     SteadyInstant asked, SteadyInstant answered) {
  watch_.look(leases_of(owners), asked, answered);
  std::map<std::string, SourceSeen> by_name;
  for (const SourceSeen& owner : owners) by_name.emplace(owner.source, owner);
  if (asked - couriers_asked_ > kCouriersHold) couriers_.clear();
  const auto handed_over = to_hand_over(owners, itself, asked);
  Steps steps;
  steps.hand_over = handed_over;
  std::vector<std::string> free;
  std::map<std::string, SteadyInstant> ending;
  // Whether it is in use counts only after it was said that it is over: until then something may
  // be begun.
  const auto end = [&](const std::string& name, bool in_use) {
    const auto before = ending_.find(name);
    const SteadyInstant since = before == ending_.end() ? answered : before->second;
    if (before != ending_.end() && (!in_use || answered - since >= lease_)) {
      steps.give.push_back(name);
    } else {
      ending.emplace(name, since);
    }
  };
  for (const Configured& source : configured) {
    const auto owner = by_name.find(source.name);
    if (owner == by_name.end()) {
      if (source.is_here) free.push_back(source.name);
      continue;
    }
    const bool is_ours = owner->second.node == itself;
    // What has begun to end ends: its address may go on and off, its lanes do not.
    if (is_ours && source.is_here && !ending_.contains(source.name) && handed_over != source.name) {
      steps.owned.push_back(source.name);
    } else if (is_ours) {
      end(source.name, source.in_use);
    } else if (source.is_here && owner->second.is_void &&
               watch_.unrenewed_for(owner->second.node) >= lease_) {
      free.push_back(source.name);
    }
    by_name.erase(owner);
  }
  // Owned, and not configured any more.
  for (const auto& [name, owner] : by_name) {
    if (owner.node == itself) end(name, false);
  }
  ending_ = std::move(ending);
  steps.ending = !ending_.empty();
  std::map<std::string, SteadyInstant> free_since;
  for (const std::string& name : free) {
    const auto before = free_.find(name);
    free_since.emplace(name, before == free_.end() ? answered : before->second);
  }
  free_ = std::move(free_since);
  if (!steps.owned.empty()) {
    std::erase_if(free, [&](const std::string& name) {
      const bool fewer = another_has_fewer(name, owners, itself);
      return answered - free_.at(name) < (fewer ? kFewerFirst : kOthersFirst);
    });
  }
  // Couriers that begin together try different ones first.
  if (const auto place = choose_source(free, itself, 0)) steps.take = free[*place];
  return steps;
}

std::vector<std::string> LivingWatch::look(const std::vector<SourceSeen>& owners,
                                           SteadyInstant asked, SteadyInstant answered) {
  watch_.look(leases_of(owners), asked, answered);
  std::set<std::string> living;
  for (const SourceSeen& owner : owners) {
    const bool lapsed = owner.left <= Milliseconds(0);
    if (owner.is_void || (lapsed && watch_.unrenewed_for(owner.node) >= lease_)) continue;
    living.insert(owner.source);
  }
  return {living.begin(), living.end()};
}

}  // namespace todoku::delivery::policy
