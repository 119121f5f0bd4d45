// SPDX-License-Identifier: Apache-2.0
// Who may keep transactions in memory, where there is room for so many of them, or for so many
// octets.
//
// Intuition (dynamic thresholds): an account may have as much as there is room left for anybody.
// One that floods the engine alone gets half of the room and then waits in the store; the rest
// stays free, so another account's single mail still takes the short way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "base/check.h"

namespace todoku::delivery::policy {

// Not thread-safe.
class Room {
 public:
  explicit Room(std::size_t places) : places_(places) {}

  [[nodiscard]] bool has_place_for(std::int64_t account) const {
    const auto found = taken_.find(account);
    const std::size_t of_account = found == taken_.end() ? 0 : found->second;
    return of_account < places_ - std::min(all_, places_);
  }
  // Whoever was told that there is a place may be one of several, or need many: the room may be
  // overdrawn by them.
  void enter(std::int64_t account, std::size_t places = 1) {
    taken_[account] += places;
    all_ += places;
  }
  // With as many places as it entered with.
  void leave(std::int64_t account, std::size_t places = 1) {
    const auto found = taken_.find(account);
    check(found != taken_.end() && found->second >= places, "who leaves has entered");
    found->second -= places;
    if (found->second == 0) taken_.erase(found);
    all_ -= places;
  }

 private:
  std::size_t places_;
  std::size_t all_ = 0;
  std::unordered_map<std::int64_t, std::size_t> taken_;
};

}  // namespace todoku::delivery::policy
