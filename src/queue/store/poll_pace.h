// SPDX-License-Identifier: Apache-2.0
// How often the store is asked for bells: soon again while it has some, and ever less when it has
// none. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace todoku::queue {

class PollPace {
 public:
  struct Bounds {
    Microseconds busy{20'000};
    Microseconds idle{250'000};
  };
  explicit PollPace(const Bounds& bounds) : bounds_(bounds) {}

  // The store has answered at `now`. Up to half of the span comes on top, so that processes that
  // were started together do not ask together.
  void answered(bool had_bells, SteadyInstant now, Random& random) {
    span_ = had_bells ? bounds_.busy : std::clamp(span_ * 2, bounds_.busy, bounds_.idle);
    const auto half = static_cast<std::uint64_t>(span_.count() / 2);
    next_ = now + span_ + Microseconds(static_cast<std::int64_t>(random.below(half + 1)));
  }
  // When it is asked again.
  [[nodiscard]] SteadyInstant next() const { return next_; }

 private:
  const Bounds bounds_;
  Microseconds span_{};
  SteadyInstant next_{};
};

}  // namespace todoku::queue
