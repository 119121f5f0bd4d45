// SPDX-License-Identifier: Apache-2.0
#include "events/opens/seen_opens.h"

#include <algorithm>

namespace todoku::events::opens {
namespace {

// What the store says is repeated: its hour began with another process, and ends before ours would.
constexpr Milliseconds kQuietOfOthers = std::chrono::minutes(1);

}  // namespace

SeenOpens::Taken SeenOpens::add(const Sighting& sighting, SteadyInstant now) {
  const Key key = key_of(sighting.recipient, sighting.by);
  const std::lock_guard lock(mutex_);
  if (waiting_.contains(key)) return Taken::repeated;
  if (const auto quiet = quiet_.find(key); quiet != quiet_.end()) {
    if (now < quiet->second) return Taken::repeated;
    quiet_.erase(quiet);
  }
  const std::size_t room = bounds_.waiting_max - std::min(waiting_.size(), bounds_.waiting_max);
  std::size_t& its = of_account_[sighting.account];
  if (its >= room) {
    if (its == 0) of_account_.erase(sighting.account);
    return Taken::dropped;
  }
  ++its;
  waiting_.emplace(key, Waiting{sighting, now, next_});
  by_age_.emplace(next_++, key);
  return Taken::waits;
}

std::vector<store::OpenSeen> SeenOpens::waiting(std::size_t most, SteadyInstant now) const {
  std::vector<store::OpenSeen> seen;
  const std::lock_guard lock(mutex_);
  for (const auto& [order, key] : by_age_) {
    if (seen.size() >= most) break;
    const Waiting& each = waiting_.at(key);
    seen.push_back({.account = each.sighting.account,
                    .recipient = each.sighting.recipient,
                    .by = each.sighting.by,
                    .age = std::chrono::duration_cast<Milliseconds>(now - each.at)});
  }
  return seen;
}

void SeenOpens::settle(std::span<const store::OpenSeen> seen,
                       std::span<const store::OpenRecorded> answers, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < std::min(seen.size(), answers.size()); ++i) {
    const Key key = key_of(seen[i].recipient, seen[i].by);
    const auto found = waiting_.find(key);
    if (found == waiting_.end()) continue;
    const auto its = of_account_.find(found->second.sighting.account);
    if (its != of_account_.end() && --its->second == 0) of_account_.erase(its);
    const bool of_others = answers[i] == store::OpenRecorded::repeated;
    // The hour began when it was seen.
    const SteadyInstant until =
        of_others ? now + kQuietOfOthers : found->second.at + store::kOpenEvery;
    by_age_.erase(found->second.order);
    waiting_.erase(found);
    be_quiet(key, until, now);
  }
}

void SeenOpens::be_quiet(const Key& key, SteadyInstant until, SteadyInstant now) {
  if (quiet_.size() >= bounds_.quiet_max) {
    std::erase_if(quiet_, [now](const auto& each) { return each.second <= now; });
  }
  // The store knows it all the same.
  if (quiet_.size() < bounds_.quiet_max) quiet_[key] = until;
}

std::size_t SeenOpens::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace todoku::events::opens
