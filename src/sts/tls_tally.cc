// SPDX-License-Identifier: Apache-2.0
#include "sts/tls_tally.h"

#include <utility>

namespace todoku::sts {

void TlsTally::add(Instant now, std::string_view domain, TlsPolicyType policy, TlsResult result) {
  const std::int64_t day = day_of(now);
  const std::lock_guard lock(mutex_);
  if (std::exchange(day_, day) != day) named_.clear();
  const bool is_known = named_.contains(domain);
  const bool is_named = is_known || named_.size() < domains_max_;
  if (is_named && !is_known) named_.emplace(domain);
  ++counts_[Key(day, is_named ? domain : std::string_view(), policy, result)];
}

std::vector<TlsTally::Count> TlsTally::take() {
  std::map<Key, std::int64_t> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(counts_);
  }
  std::vector<Count> counts;
  counts.reserve(taken.size());
  for (const auto& [key, attempts] : taken) {
    const auto& [day, domain, policy, result] = key;
    counts.push_back(
        {.day = day, .domain = domain, .policy = policy, .result = result, .attempts = attempts});
  }
  return counts;
}

void TlsTally::put_back(const std::vector<Count>& counts) {
  const std::lock_guard lock(mutex_);
  for (const Count& count : counts) {
    // A store that is away for long must not fill the memory: what is counted meanwhile comes on
    // top of what there is, and what is beyond goes to nobody's name.
    const bool is_full = counts_.size() >= 4 * domains_max_;
    counts_[Key(count.day, is_full ? std::string() : count.domain, count.policy, count.result)] +=
        count.attempts;
  }
}

}  // namespace todoku::sts
