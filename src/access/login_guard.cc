// SPDX-License-Identifier: Apache-2.0
#include "access/login_guard.h"

#include <algorithm>

#include "net/client_counts.h"

namespace todoku::access {
namespace {

bool holds(const std::vector<std::string>& marks, std::string_view mark) {
  return std::ranges::find(marks, mark) != marks.end();
}

}  // namespace

const LoginGuard::Tally* LoginGuard::full(const Key& key, std::uint32_t most,
                                          SteadyInstant now) const {
  const auto found = tallies_.find(key);
  if (found == tallies_.end() || found->second.failures < most) return nullptr;
  return end_of(found->second, most) <= now ? nullptr : &found->second;
}

// Of a tally that has as many failures as it may, or more.
SteadyInstant LoginGuard::end_of(const Tally& tally, std::uint32_t most) const {
  const SteadyInstant end = tally.since + options_.window;
  if (options_.first_wait == Milliseconds::zero()) return end;
  Milliseconds wait = options_.first_wait;
  for (std::uint32_t more = most; more < tally.failures && wait < options_.window; ++more) {
    wait *= 2;
  }
  return std::min(end, tally.last + wait);
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
    const auto left = std::chrono::ceil<Milliseconds>(end_of(*tally, most) - now);
    if (left > turn.locked) turn.of_network = key.second.empty();
    turn.locked = std::max(turn.locked, left);
  };
  look(of_name, options_.failures_of_name);
  look(of_network, options_.failures_of_network);
  if (!has_room) return turn;
  Counted counted;
  if (!name.empty()) counted.of_name = count(of_name, now);
  counted.of_network = count(std::move(of_network), now);
  turn.attempt = Attempt(*this, std::move(of_name), counted);
  return turn;
}

// A window begins with its first failure, and does not move with later ones.
std::uint64_t LoginGuard::count(Key key, SteadyInstant now) {
  while (!by_age_.empty() && (by_age_.begin()->first + options_.window <= now ||
                              tallies_.size() >= options_.entries_max)) {
    tallies_.erase(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
  }
  const auto [tally, is_new] = tallies_.try_emplace(std::move(key), Tally{.since = now});
  ++tally->second.failures;
  ++tally->second.under_way;
  tally->second.last = now;
  if (is_new) {
    tally->second.number = ++last_number_;
    by_age_.emplace(now, tally->first);
  }
  return tally->second.number;
}

// A tally may have been forgotten since, and another may have begun, in which this attempt is not.
void LoginGuard::end(const Key& key, const Counted& counted, Attempt::End how) {
  const std::lock_guard lock(mutex_);
  const auto settle = [&](const Key& of, std::uint64_t number) {
    const auto found = tallies_.find(of);
    if (found == tallies_.end() || found->second.number != number) return;
    --found->second.under_way;
    if (how != Attempt::End::failed) --found->second.failures;
  };
  if (!key.second.empty()) settle(key, counted.of_name);
  settle({key.first, std::string()}, counted.of_network);
  if (how == Attempt::End::succeeded) absolve(key);
}

// What was refused stays known: beside the program that is right there may be one that is not, and
// it would be counted against the network after each success.
void LoginGuard::absolve(const Key& key) {
  const auto found = tallies_.find(key);
  if (found == tallies_.end() || key.second.empty()) return;
  if (found->second.refused.empty()) return erase(found);
  found->second.failures = found->second.under_way;
}

void LoginGuard::erase(std::map<Key, Tally>::iterator tally) {
  const auto [begin, end] = by_age_.equal_range(tally->second.since);
  for (auto entry = begin; entry != end; ++entry) {
    if (entry->second != tally->first) continue;
    by_age_.erase(entry);
    break;
  }
  tallies_.erase(tally);
}

bool LoginGuard::knows(const Key& key, std::string_view mark) const {
  const std::lock_guard lock(mutex_);
  const auto found = tallies_.find(key);
  return found != tallies_.end() && holds(found->second.refused, mark);
}

void LoginGuard::remember(const Key& key, std::string mark) {
  const std::lock_guard lock(mutex_);
  const auto found = tallies_.find(key);
  if (found == tallies_.end() || key.second.empty()) return;
  std::vector<std::string>& refused = found->second.refused;
  if (holds(refused, mark)) return;
  if (refused.size() >= options_.refused_max) refused.erase(refused.begin());
  refused.push_back(std::move(mark));
}

// Those under way may still be right.
bool LoginGuard::locks(const Key& key, const Tally& tally, SteadyInstant now) const {
  return tally.failures - tally.under_way >= most_of(key) && end_of(tally, most_of(key)) > now;
}

std::vector<LoginGuard::Lockout> LoginGuard::lockouts(SteadyInstant now, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<Lockout> lockouts;
  for (const auto& [key, tally] : tallies_) {
    if (lockouts.size() >= most) break;
    if (!locks(key, tally, now)) continue;
    lockouts.push_back({.network = net::Network(key.first, 64),
                        .name = key.second,
                        .since = tally.since,
                        .until = end_of(tally, most_of(key)),
                        .failures = tally.failures - tally.under_way});
  }
  return lockouts;
}

std::size_t LoginGuard::unlock_where(const auto& is_meant, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  std::size_t ended = 0;
  for (auto tally = tallies_.begin(); tally != tallies_.end();) {
    const auto here = tally++;
    if (!is_meant(here->first)) continue;
    if (locks(here->first, here->second, now)) ++ended;
    erase(here);
  }
  return ended;
}

std::size_t LoginGuard::unlock(std::string_view name, SteadyInstant now) {
  return unlock_where([&](const Key& key) { return !name.empty() && key.second == name; }, now);
}

std::size_t LoginGuard::unlock(const net::Network& network, SteadyInstant now) {
  const auto is_meant = [&](const Key& key) {
    return network.contains(key.first) || net::Network(key.first, 64).contains(network.prefix());
  };
  return unlock_where(is_meant, now);
}

std::size_t LoginGuard::entries() const {
  const std::lock_guard lock(mutex_);
  return tallies_.size();
}

}  // namespace todoku::access
