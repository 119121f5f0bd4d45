// SPDX-License-Identifier: Apache-2.0
#include "sts/fetch_queue.h"

#include <utility>

#include "mailauth/suffixes/public_suffix.h"

namespace todoku::sts {

void FetchQueue::add(const std::string& domain) {
  const std::uint64_t arrival = ++arrived_;
  groups_[mailauth::registered_domain(domain)].waiting.emplace(arrival, domain);
  arrivals_.emplace(domain, arrival);
}

void FetchQueue::remove(const std::string& domain) {
  const auto arrival = arrivals_.find(domain);
  if (arrival == arrivals_.end()) return;
  const auto group = groups_.find(mailauth::registered_domain(domain));
  group->second.waiting.erase(arrival->second);
  arrivals_.erase(arrival);
  forget_if_empty(group);
}

std::optional<std::string> FetchQueue::next() {
  if (under_way_ >= places_) return std::nullopt;
  // Groups that may have none are few: each has a place.
  auto group = groups_.upper_bound(last_);
  for (std::size_t i = 0; i < groups_.size(); ++i, ++group) {
    if (group == groups_.end()) group = groups_.begin();
    auto& [name, its] = *group;
    if (its.waiting.empty() || its.under_way >= places_of_one_) continue;
    std::string domain = std::move(its.waiting.begin()->second);
    its.waiting.erase(its.waiting.begin());
    arrivals_.erase(domain);
    ++its.under_way;
    ++under_way_;
    last_ = name;
    return domain;
  }
  return std::nullopt;
}

void FetchQueue::done(const std::string& domain) {
  const auto group = groups_.find(mailauth::registered_domain(domain));
  --group->second.under_way;
  --under_way_;
  forget_if_empty(group);
}

void FetchQueue::forget_if_empty(Groups::iterator group) {
  if (group->second.waiting.empty() && group->second.under_way == 0) groups_.erase(group);
}

}  // namespace todoku::sts
