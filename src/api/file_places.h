// SPDX-License-Identifier: Apache-2.0
// Who may have a file open: uploads that are being received, archives that are being sent. Clients
// are as slow as they like, so each account leaves the others some.
#pragma once

#include <cstddef>
#include <cstdint>
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
        : places_(std::exchange(other.places_, nullptr)),
          account_(other.account_),
          octets_(std::exchange(other.octets_, 0)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_ != nullptr) places_->give_back(account_, octets_);
    }
    // So much more of the disk its file takes, until the place is given back.
    void grow(std::uint64_t octets) {
      octets_ += octets;
      places_->grow(account_, octets);
    }

   private:
    friend class FilePlaces;
    Place(FilePlaces& places, store::AccountKey account) : places_(&places), account_(account) {}

    FilePlaces* places_;
    store::AccountKey account_;
    std::uint64_t octets_ = 0;
  };

  explicit FilePlaces(std::size_t max) : free_(max) {}

  // nullopt: this account has as many as it may have now.
  [[nodiscard]] std::optional<Place> take(store::AccountKey account) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(account);
    const std::size_t own = found == taken_.end() ? 0 : found->second.places;
    if (own >= free_) return std::nullopt;
    ++taken_[account].places;
    --free_;
    return Place(*this, account);
  }
  // By how much the files in the account's places have grown.
  [[nodiscard]] std::uint64_t octets_of(store::AccountKey account) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(account);
    return found == taken_.end() ? 0 : found->second.octets;
  }

 private:
  struct Taken {
    std::size_t places = 0;
    std::uint64_t octets = 0;
  };
  void grow(store::AccountKey account, std::uint64_t octets) {
    const std::lock_guard lock(mutex_);
    taken_[account].octets += octets;
  }
  void give_back(store::AccountKey account, std::uint64_t octets) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(account);
    found->second.octets -= octets;
    if (--found->second.places == 0) taken_.erase(found);
    ++free_;
  }

  std::mutex mutex_;
  std::size_t free_;
  std::map<store::AccountKey, Taken> taken_;
};

}  // namespace todoku::api
