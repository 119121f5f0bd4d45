// SPDX-License-Identifier: Apache-2.0
// How many requests go to one destination at a time, whoever asks for them: a host by its name, and
// the address behind it, which many names may share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace todoku::http {

// Thread-safe. Holds no more entries than places are taken.
class Places {
 public:
  // A place that is taken; it is given back when this goes. The Places must outlive it.
  class Place {
   public:
    Place(Place&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)),
          destination_(std::move(other.destination_)),
          party_(other.party_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (owner_ != nullptr) owner_->leave(destination_, party_);
    }

   private:
    friend class Places;
    Place(Places* owner, std::string destination, std::uint64_t party)
        : owner_(owner), destination_(std::move(destination)), party_(party) {}
    Places* owner_;
    std::string destination_;
    std::uint64_t party_;
  };

  explicit Places(std::size_t per_destination_max) : max_(per_destination_max) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // nullopt if the destination has none left, or none for this party: one may have half of them,
  // rounded up, so that whoever lets a shared address hang leaves room for others.
  [[nodiscard]] std::optional<Place> take(std::string destination, std::uint64_t party) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(destination);
    if (found != taken_.end()) {
      const auto mine = found->second.parties.find(party);
      const std::size_t of_party = mine == found->second.parties.end() ? 0 : mine->second;
      if (found->second.all >= max_ || of_party >= (max_ + 1) / 2) return std::nullopt;
    } else if (max_ == 0) {
      return std::nullopt;
    }
    Taken& taken = taken_[destination];
    ++taken.all;
    ++taken.parties[party];
    return Place(this, std::move(destination), party);
  }

  [[nodiscard]] std::size_t destinations() const {
    const std::lock_guard lock(mutex_);
    return taken_.size();
  }

 private:
  struct Taken {
    std::size_t all = 0;
    std::map<std::uint64_t, std::size_t> parties;
  };

  void leave(const std::string& destination, std::uint64_t party) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(destination);
    const auto mine = found->second.parties.find(party);
    if (--mine->second == 0) found->second.parties.erase(mine);
    if (--found->second.all == 0) taken_.erase(found);
  }

  const std::size_t max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Taken> taken_;  // under mutex_
};

}  // namespace todoku::http
