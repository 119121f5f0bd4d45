// SPDX-License-Identifier: Apache-2.0
// The connections of one thread: those with a request in work, and those that wait for their client
// to ask for something, the longest waiting first. Private to http/.
#pragma once

#include <atomic>
#include <cstddef>
#include <iterator>
#include <list>

#include "base/clock.h"

namespace todoku::http {

class Connection;

// All members but longest_wait_since() are for the list's thread.
class ConnectionList {
 public:
  struct Entry {
    Connection* connection;
    SteadyInstant since;  // it waits
    bool waits;
  };
  using Place = std::list<Entry>::iterator;

  // A new connection waits.
  [[nodiscard]] Place enter(Connection& connection, SteadyInstant now) {
    waiting_.push_back({.connection = &connection, .since = now, .waits = true});
    publish();
    return std::prev(waiting_.end());
  }
  void leave(Place place) {
    (place->waits ? waiting_ : working_).erase(place);
    publish();
  }
  // It has a request in work.
  void work(Place place) {
    if (!place->waits) return;
    place->waits = false;
    working_.splice(working_.end(), waiting_, place);
    publish();
  }
  // It waits from now on, whether it did before or not.
  void wait(Place place, SteadyInstant now) {
    waiting_.splice(waiting_.end(), place->waits ? waiting_ : working_, place);
    *place = {.connection = place->connection, .since = now, .waits = true};
    publish();
  }

  // nullptr: none waits.
  [[nodiscard]] Connection* longest_waiting() const {
    return waiting_.empty() ? nullptr : waiting_.front().connection;
  }
  // Any thread; a moment old. SteadyInstant::max(): none waits.
  [[nodiscard]] SteadyInstant longest_wait_since() const {
    return SteadyInstant(Microseconds(since_.load(std::memory_order_relaxed)));
  }
  [[nodiscard]] std::size_t size() const { return waiting_.size() + working_.size(); }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto* list : {&waiting_, &working_}) {
      for (const Entry& entry : *list) visit(*entry.connection);
    }
  }

 private:
  void publish() {
    const SteadyInstant since = waiting_.empty() ? SteadyInstant::max() : waiting_.front().since;
    since_.store(since.time_since_epoch().count(), std::memory_order_relaxed);
  }

  std::list<Entry> waiting_;  // by `since`
  std::list<Entry> working_;
  std::atomic<Microseconds::rep> since_{SteadyInstant::max().time_since_epoch().count()};
};

}  // namespace todoku::http
