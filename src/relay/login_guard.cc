// SPDX-License-Identifier: Apache-2.0
#include "relay/login_guard.h"

#include <algorithm>

#include "net/client_counts.h"

namespace todoku::relay {

const LoginGuard::Tally* LoginGuard::full(const Key& key, std::uint32_t most,
                                          SteadyInstant now) const {
  const auto found = tallies_.find(key);
  if (found == tallies_.end() || found->second.failures < most) return nullptr;
  return found->second.since + options_.window <= now ? nullptr : &found->second;
}

LoginGuard::Turn LoginGuard::ask(const net::IpAddress& from, std::string_view name,
                                 SteadyInstant now) {
  Key of_name{net::client_of(from), std::string(name)};
  Key of_network{of_name.first, std::string()};
  const std::lock_guard lock(mutex_);
  Turn turn;
  bool has_room = true;
  const auto look = [&](const Key& key, std::uint32_t most) {
    const Tally* const tally = full(key, most, now);
    if (tally == nullptr) return;
    has_room = false;
    if (tally->failures - tally->under_way < most) return;
    turn.locked = std::max(turn.locked,
                           std::chrono::ceil<Milliseconds>(tally->since + options_.window - now));
  };
  look(of_name, options_.failures_of_name);
  look(of_network, options_.failures_of_network);
  if (!has_room) return turn;
  if (!name.empty()) count(of_name, now);
  count(std::move(of_network), now);
  turn.attempt = Attempt(*this, std::move(of_name));
  return turn;
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
  ++tally->second.under_way;
  if (is_new) by_age_.emplace(now, tally->first);
}

// A tally may have been forgotten since, and another may have begun.
void LoginGuard::end(const Key& key, Attempt::End how) {
  const std::lock_guard lock(mutex_);
  const auto settle = [&](const Key& of) {
    const auto found = tallies_.find(of);
    if (found == tallies_.end() || found->second.under_way == 0) return;
    --found->second.under_way;
    if (how != Attempt::End::failed) --found->second.failures;
  };
  if (!key.second.empty()) settle(key);
  settle({key.first, std::string()});
  if (how == Attempt::End::succeeded) forget(key);
}

void LoginGuard::forget(const Key& key) {
  const auto found = tallies_.find(key);
  if (found == tallies_.end() || key.second.empty()) return;
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
