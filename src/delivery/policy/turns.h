// SPDX-License-Identifier: Apache-2.0
// Whose turn it is to be offered: shares of the scheduler's credit, which comes in small pieces
// over a long time. Accounts by weight, then the deliveries of an account evenly.
//
// Intuition (start-time fair queueing): everyone has a clock that runs with the recipients it was
// given, an account's the slower the more it weighs; whose clock is furthest behind is next. Who
// joins, or could not use its turn for a while, begins level with who was served last: it has no
// claim to what it did not use, and is not behind for what it had before. Credit of a site often
// lasts for one turn of a pass, so clocks outlive the pass.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"

namespace todoku::delivery::policy {

// Not thread-safe. Accounts and deliveries are the store's keys as numbers.
class Turns {
 public:
  void join(std::int64_t account, std::uint32_t weight, std::int64_t delivery) {
    const auto [place, fresh] = accounts_.try_emplace(account);
    if (fresh) place->second.clock = now_;
    place->second.weight = std::max(weight, 1U);
    place->second.deliveries.try_emplace(delivery, place->second.now);
    account_of_[delivery] = account;
  }

  void leave(std::int64_t delivery) {
    const auto found = account_of_.find(delivery);
    if (found == account_of_.end()) return;
    Account& account = accounts_.at(found->second);
    unready(found->second, account, delivery);
    account.deliveries.erase(delivery);
    if (account.deliveries.empty()) accounts_.erase(found->second);
    account_of_.erase(found);
  }

  // The delivery has something that can be offered now. It must have joined.
  void ready(std::int64_t delivery) {
    const std::int64_t key = account_of_.at(delivery);
    Account& account = accounts_.at(key);
    if (account.ready.empty()) ready_.emplace(account.clock, key);
    account.ready.emplace(account.deliveries.at(delivery), delivery);
  }

  // The next delivery; it is ready no more until it says so again. nullopt if none is.
  std::optional<std::int64_t> next() {
    if (ready_.empty()) return std::nullopt;
    const std::int64_t key = ready_.begin()->second;
    Account& account = accounts_.at(key);
    const std::int64_t delivery = account.ready.begin()->second;
    unready(key, account, delivery);
    return delivery;
  }

  // What the delivery that next() named was given. With nothing it has not had its turn.
  void served(std::int64_t delivery, std::int64_t recipients) {
    if (recipients == 0) return;
    const std::int64_t key = account_of_.at(delivery);
    Account& account = accounts_.at(key);
    check(!account.ready.contains({account.deliveries.at(delivery), delivery}),
          "a delivery is served before it is ready again");
    const bool waits = !account.ready.empty();
    if (waits) ready_.erase({account.clock, key});
    now_ = std::max(now_, account.clock);
    account.clock = now_ + static_cast<double>(recipients) / account.weight;
    double& clock = account.deliveries.at(delivery);
    account.now = std::max(account.now, clock);
    clock = account.now + static_cast<double>(recipients);
    if (waits) ready_.emplace(account.clock, key);
  }

  // Nobody is ready any more: a pass is over.
  void clear_ready() {
    for (const auto& [clock, key] : ready_) accounts_.at(key).ready.clear();
    ready_.clear();
  }

 private:
  struct Account {
    std::uint32_t weight = 1;
    double clock = 0;                           // recipients by weight
    double now = 0;                             // of its deliveries: the clock last served
    std::map<std::int64_t, double> deliveries;  // their clocks
    std::set<std::pair<double, std::int64_t>> ready;
  };

  void unready(std::int64_t key, Account& account, std::int64_t delivery) {
    if (account.ready.erase({account.deliveries.at(delivery), delivery}) == 0) return;
    if (account.ready.empty()) ready_.erase({account.clock, key});
  }

  double now_ = 0;  // the clock of the account served last
  std::map<std::int64_t, Account> accounts_;
  std::map<std::int64_t, std::int64_t> account_of_;
  std::set<std::pair<double, std::int64_t>> ready_;  // accounts
};

}  // namespace todoku::delivery::policy
