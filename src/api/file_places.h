// SPDX-License-Identifier: Apache-2.0
// Who may have a file open: uploads that are being received, archives that are being sent. Clients
// are as slow as they like, so each account leaves the others some.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "store/keys.h"

namespace todoku::api {

// Thread-safe. An account may have as many places as it leaves to others: alone half of them, and
// whoever else comes half of the rest. So one that takes what it can get does not keep another out.
class FilePlaces {
 public:
  // Held; given back at its end. The places outlive it.
  class Place {
   public:
    Place(Place&& other) noexcept
        : places_(std::exchange(other.places_, nullptr)), account_(other.account_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_ != nullptr) places_->give_back(account_);
    }

   private:
    friend class FilePlaces;
    Place(FilePlaces& places, store::AccountKey account) : places_(&places), account_(account) {}

    FilePlaces* places_;
    store::AccountKey account_;
  };

  explicit FilePlaces(std::size_t max) : free_(max) {}

  // nullopt: this account has as many as it may have now.
  [[nodiscard]] std::optional<Place> take(store::AccountKey account) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(account);
    const std::size_t own = found == taken_.end() ? 0 : found->second;
    if (own >= free_) return std::nullopt;
    ++taken_[account];
    --free_;
    return Place(*this, account);
  }

 private:
  void give_back(store::AccountKey account) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(account);
    if (--found->second == 0) taken_.erase(found);
    ++free_;
  }

  std::mutex mutex_;
  std::size_t free_;
  std::map<store::AccountKey, std::size_t> taken_;
};

}  // namespace todoku::api
