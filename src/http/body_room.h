// SPDX-License-Identifier: Apache-2.0
// The memory for request bodies that are wanted as a whole: one room for all connections of a
// server. Clients are as slow as they like, so each owner of bodies leaves the others some, and who
// is slow goes first. Private to http/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <utility>

#include "base/clock.h"

namespace todoku::http {

// Thread-safe. An owner may have as much as it leaves to others: alone half of the room, and
// whoever else comes half of the rest; its first body whatever is free.
class BodyRoom {
 public:
  // A smaller body costs no more than the connection itself, and is not counted: it finds a way in
  // past those that fill the room.
  static constexpr std::size_t kCountedOctets = std::size_t{16} * 1024;

  struct Entry {
    std::uint64_t owner;
    std::function<void()> cut;  // ends the body; from any thread, with the room locked
    SteadyInstant due;
    std::size_t octets = 0;
    bool given_up = false;
  };
  using Place = std::list<Entry>::iterator;

  explicit BodyRoom(std::size_t octets_max) : octets_max_(octets_max) {}

  // A body, of which nothing is held yet.
  [[nodiscard]] Place enter(std::uint64_t owner, std::function<void()> cut) {
    const std::lock_guard lock(mutex_);
    entries_.push_back({.owner = owner, .cut = std::move(cut), .due = SteadyInstant::max()});
    return std::prev(entries_.end());
  }
  void leave(Place place) {
    const std::lock_guard lock(mutex_);
    count_off(*place);
    entries_.erase(place);
  }
  // Until `due` it keeps its room, whoever wants it; max(): it does not wait for its client. False:
  // it was cut.
  [[nodiscard]] bool keep_until(Place place, SteadyInstant due) {
    const std::lock_guard lock(mutex_);
    place->due = due;
    return !place->given_up;
  }

  // What is held of it is another owner's from now on, be it more than the owner's share.
  void give_to(Place place, std::uint64_t owner);

  // Room for `octets` of it in all. Where there is none, those whose time was over by `now` are cut
  // and counted no more, the slowest first. False: there is none all the same.
  [[nodiscard]] bool grow(Place place, std::size_t octets, SteadyInstant now);
  // It gave up asking.
  void refused() {
    const std::lock_guard lock(mutex_);
    ++figures_.refused;
  }

  struct Figures {
    std::size_t octets = 0;     // held now
    std::uint64_t refused = 0;  // bodies for which there was no room
    std::uint64_t cut = 0;      // that were too slow while others wanted their room
  };
  [[nodiscard]] Figures figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
  }

 private:
  // Whether there are so many octets; whether they are this owner's share.
  [[nodiscard]] bool has_free(std::size_t more) const;
  [[nodiscard]] bool may_have(const Entry& entry, std::size_t more) const;
  // nullptr: none is slow. `owner`: of this one only.
  [[nodiscard]] Entry* slowest(SteadyInstant now, const std::uint64_t* owner);
  void count_off(Entry& entry);

  const std::size_t octets_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;
  std::map<std::uint64_t, std::size_t> owned_;  // octets, where there are any
  Figures figures_;
};

}  // namespace todoku::http
