// SPDX-License-Identifier: Apache-2.0
// The bodies of responses that are in memory until their clients have read them: those of the
// connections of one thread. Private to http/.
#pragma once

#include <cstddef>
#include <iterator>
#include <list>

#include "base/clock.h"

namespace todoku::http {

class Connection;

// All members are for the list's thread.
class HeldBodies {
 public:
  // A smaller one costs no more than the connection itself, and is not counted.
  static constexpr std::size_t kCountedOctets = std::size_t{16} * 1024;

  struct Entry {
    Connection* connection;
    std::size_t octets;
    SteadyInstant since;
    bool given_up;
  };
  using Place = std::list<Entry>::iterator;

  explicit HeldBodies(std::size_t octets_max) : octets_max_(octets_max) {}

  // Alone, a body may have any size.
  [[nodiscard]] bool has_room(std::size_t octets) const {
    return held_.empty() || octets_ + octets <= octets_max_;
  }
  [[nodiscard]] Place enter(Connection& connection, std::size_t octets, SteadyInstant now) {
    held_.push_back({.connection = &connection, .octets = octets, .since = now, .given_up = false});
    octets_ += octets;
    return std::prev(held_.end());
  }
  void leave(Place place) {
    if (!place->given_up) octets_ -= place->octets;
    (place->given_up ? given_up_ : held_).erase(place);
  }

  // That which has been there for longest, if it came by `latest`: no more counted, to be closed by
  // the caller. nullptr: there is none.
  [[nodiscard]] Connection* give_up_longest(SteadyInstant latest) {
    if (held_.empty() || held_.front().since > latest) return nullptr;
    const auto longest = held_.begin();
    longest->given_up = true;
    octets_ -= longest->octets;
    given_up_.splice(given_up_.end(), held_, longest);
    return longest->connection;
  }

 private:
  const std::size_t octets_max_;
  std::size_t octets_ = 0;
  std::list<Entry> held_;      // the oldest first
  std::list<Entry> given_up_;  // until they notice
};

}  // namespace todoku::http
