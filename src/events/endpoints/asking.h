// SPDX-License-Identifier: Apache-2.0
// Calls that owners wait for: challenges and tests. Of all places for calls they have few, so that
// hosts that let them hang keep no endpoint from being told.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "store/keys.h"

namespace todoku::events::endpoints {

// Thread-safe.
class Asking {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr std::size_t kMostOfAccount = 4;

  // Taken until it goes. Not longer than its Asking.
  class Place {
   public:
    Place(Asking& asking, store::AccountKey account) : asking_(&asking), account_(account) {}
    Place(Place&& other) noexcept
        : asking_(std::exchange(other.asking_, nullptr)), account_(other.account_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (asking_ != nullptr) asking_->leave(account_);
    }

   private:
    Asking* asking_;
    store::AccountKey account_;
  };

  // nullopt: all of them are taken, or the account's.
  [[nodiscard]] std::optional<Place> take(store::AccountKey account) {
    const std::lock_guard lock(mutex_);
    if (taken_ >= kMost) return std::nullopt;
    std::size_t& its = of_account_[account];
    if (its >= kMostOfAccount) return std::nullopt;
    ++its;
    ++taken_;
    return Place(*this, account);
  }

 private:
  void leave(store::AccountKey account) {
    const std::lock_guard lock(mutex_);
    --taken_;
    const auto its = of_account_.find(account);
    if (--its->second == 0) of_account_.erase(its);
  }

  std::mutex mutex_;
  std::size_t taken_ = 0;
  std::map<store::AccountKey, std::size_t> of_account_;
};

}  // namespace todoku::events::endpoints
