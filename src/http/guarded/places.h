// SPDX-License-Identifier: Apache-2.0
// How many requests go to one destination at a time, whoever asks for them: a host by its name, and
// the address behind it, which many names may share. Of these places the slow have at most half,
// with those of whom nothing is known three quarters, and with what somebody waits for seven
// eighths: so that those who let calls hang keep nobody waiting who answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "http/guarded/standing.h"

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
          party_(other.party_),
          standing_(other.standing_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (owner_ != nullptr) owner_->leave(destination_, party_, standing_);
    }

   private:
    friend class Places;
    Place(Places* owner, std::string destination, std::uint64_t party, Standing standing)
        : owner_(owner), destination_(std::move(destination)), party_(party), standing_(standing) {}
    Places* owner_;
    std::string destination_;
    std::uint64_t party_;
    Standing standing_;
  };

  explicit Places(std::size_t per_destination_max) : max_(per_destination_max) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // nullopt if the destination has none left for this standing, or none for this party: one has
  // half of what there is for each standing, rounded up.
  [[nodiscard]] std::optional<Place> take(std::string destination, std::uint64_t party,
                                          Standing standing) {
    const std::lock_guard lock(mutex_);
    if (max_ == 0) return std::nullopt;
    if (const auto found = taken_.find(destination); found != taken_.end()) {
      if (!has_room(found->second.all, standing, 1)) return std::nullopt;
      const auto mine = found->second.parties.find(party);
      const bool is_mine = mine != found->second.parties.end();
      if (is_mine && !has_room(mine->second, standing, 2)) return std::nullopt;
    }
    Taken& taken = taken_[destination];
    taken.all.add(standing);
    taken.parties[party].add(standing);
    return Place(this, std::move(destination), party, standing);
  }

  [[nodiscard]] std::size_t destinations() const {
    const std::lock_guard lock(mutex_);
    return taken_.size();
  }

 private:
  class Count {
   public:
    void add(Standing standing) { ++of_[static_cast<std::size_t>(standing)]; }
    void remove(Standing standing) { --of_[static_cast<std::size_t>(standing)]; }
    // Of this standing and worse.
    [[nodiscard]] std::size_t from(Standing standing) const {
      std::size_t sum = 0;
      for (auto i = static_cast<std::size_t>(standing); i < kStandings; ++i) sum += of_[i];
      return sum;
    }

   private:
    std::array<std::size_t, kStandings> of_{};
  };
  struct Taken {
    Count all;
    std::map<std::uint64_t, Count> parties;
  };

  // What of a destination's places this standing and worse may have.
  [[nodiscard]] std::size_t max_of(Standing standing) const {
    switch (standing) {
      case Standing::prompt:
        return max_;
      case Standing::asked:
        return max_ - max_ / 8;
      case Standing::unknown:
        return max_ - max_ / 4;
      case Standing::slow:
        break;
    }
    return (max_ + 1) / 2;
  }
  // For one more of this standing, who may have a `share`th part of the places: it counts among
  // those of all better standings, too, in whatever order they come.
  [[nodiscard]] bool has_room(const Count& taken, Standing standing, std::size_t share) const {
    for (auto each = static_cast<std::size_t>(standing) + 1; each-- > 0;) {
      const auto better = static_cast<Standing>(each);
      if (taken.from(better) >= (max_of(better) + share - 1) / share) return false;
    }
    return true;
  }

  void leave(const std::string& destination, std::uint64_t party, Standing standing) {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(destination);
    const auto mine = found->second.parties.find(party);
    mine->second.remove(standing);
    if (mine->second.from(Standing::prompt) == 0) found->second.parties.erase(mine);
    found->second.all.remove(standing);
    if (found->second.all.from(Standing::prompt) == 0) taken_.erase(found);
  }

  const std::size_t max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Taken> taken_;  // under mutex_
};

}  // namespace todoku::http
