// SPDX-License-Identifier: Apache-2.0
// What runs, in the order of its start.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace todoku::app {

// Stops in reverse what was started, so that nothing loses what it stands on. Not thread-safe.
class Running {
 public:
  // Work to be finished until the deadline; true if nothing had to be cut off.
  using Stop = std::function<bool(SteadyInstant deadline)>;

  void add(Stop stop) { stops_.push_back(std::move(stop)); }

  // Everything that was added and is not stopped yet. True if nothing had to be cut off.
  bool stop(SteadyInstant deadline) {
    bool clean = true;
    while (!stops_.empty()) {
      const Stop stop = std::move(stops_.back());
      stops_.pop_back();
      clean = stop(deadline) && clean;
    }
    return clean;
  }

 private:
  std::vector<Stop> stops_;
};

}  // namespace todoku::app
