// SPDX-License-Identifier: Apache-2.0
#include "relay/login_guard.h"

#include "net/client_counts.h"

namespace todoku::relay {

Milliseconds LoginGuard::left(const Key& key, std::uint32_t most, SteadyInstant now) const {
  const auto found = tallies_.find(key);
  if (found == tallies_.end() || found->second.failures < most) return Milliseconds(0);
  const SteadyInstant until = found->second.since + options_.window;
  if (until <= now) return Milliseconds(0);
  return std::chrono::ceil<Milliseconds>(until - now);
}

Milliseconds LoginGuard::locked_for(const net::IpAddress& from, std::string_view name,
                                    SteadyInstant now) const {
  const net::IpAddress network = net::client_of(from);
  const std::lock_guard lock(mutex_);
  return std::max(left({network, std::string(name)}, options_.failures_of_name, now),
                  left({network, std::string()}, options_.failures_of_network, now));
}

void LoginGuard::failed(const net::IpAddress& from, std::string_view name, SteadyInstant now) {
  const net::IpAddress network = net::client_of(from);
  const std::lock_guard lock(mutex_);
  if (!name.empty()) count({network, std::string(name)}, now);
  count({network, std::string()}, now);
}

// A window begins with its first failure, and does not move with later ones.
void LoginGuard::count(Key key, SteadyInstant now) {
  while (!by_age_.empty() && (by_age_.begin()->first + options_.window <= now ||
                              tallies_.size() >= options_.entries_max)) {
    tallies_.erase(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
  }
  const auto [tally, is_new] = tallies_.try_emplace(std::move(key), Tally{.since = now});
  ++tally->second.failures;
  if (is_new) by_age_.emplace(now, tally->first);
}

void LoginGuard::succeeded(const net::IpAddress& from, std::string_view name) {
  const Key key{net::client_of(from), std::string(name)};
  const std::lock_guard lock(mutex_);
  const auto found = tallies_.find(key);
  if (found == tallies_.end()) return;
  const auto [begin, end] = by_age_.equal_range(found->second.since);
  for (auto entry = begin; entry != end; ++entry) {
    if (entry->second != key) continue;
    by_age_.erase(entry);
    break;
  }
  tallies_.erase(found);
}

std::size_t LoginGuard::entries() const {
  const std::lock_guard lock(mutex_);
  return tallies_.size();
}

}  // namespace todoku::relay
