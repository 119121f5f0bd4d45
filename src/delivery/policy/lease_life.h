// SPDX-License-Identifier: Apache-2.0
// What a node may begin by its own steady clock. Its lease is the store's, in the store's time
// (store/nodes.h); here is how long it can be relied on.
//
// Intuition: the store gave the lease at some moment between the question and the answer. Counted
// from the question it cannot be overrated, whatever the two clocks say of the time of day. The
// last two seconds are left out: what is begun in them might still be on its way when somebody else
// begins it, too.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace todoku::delivery::policy {

inline constexpr Milliseconds kLeaseMargin = std::chrono::seconds(2);

class LeaseLife {
 public:
  // The store has confirmed a lease of `length`; it was asked at `asked`.
  void renewed(SteadyInstant asked, Milliseconds length) {
    until_ = std::max(until_, asked + length - kLeaseMargin);
  }
  // Everything held is lost.
  void lost() { until_ = SteadyInstant{}; }

  // Whether something may be begun.
  [[nodiscard]] bool holds(SteadyInstant now) const { return now < until_; }
  // When it stops to hold, unless it is renewed.
  [[nodiscard]] SteadyInstant until() const { return until_; }

 private:
  SteadyInstant until_{};
};

}  // namespace todoku::delivery::policy
