// SPDX-License-Identifier: Apache-2.0
// After failures nobody tries for a while that doubles: who would wait for an answer in vain goes
// on with something else. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace todoku::queue {

struct Backoff {
  Microseconds first{};
  Microseconds longest{};

  // Before the next try after so many failures in a row: between half of the span and all of it,
  // so that many do not come back at once.
  [[nodiscard]] Microseconds after(std::uint32_t failures, Random& random) const {
    const Microseconds span =
        std::min(longest, first * (std::int64_t{1} << std::min(failures - 1, 20U)));
    const auto half = static_cast<std::uint64_t>(span.count() / 2);
    return Microseconds(static_cast<std::int64_t>(half + random.below(half + 1)));
  }
};

class Breaker {
 public:
  explicit Breaker(Backoff backoff) : backoff_(backoff) {}

  [[nodiscard]] bool lets_through(SteadyInstant now) const { return now >= closed_until_; }
  [[nodiscard]] SteadyInstant closed_until() const { return closed_until_; }
  void failed(SteadyInstant now, Random& random) {
    ++failures_;
    closed_until_ = now + backoff_.after(failures_, random);
  }
  void worked() {
    failures_ = 0;
    closed_until_ = SteadyInstant{};
  }

 private:
  const Backoff backoff_;
  std::uint32_t failures_ = 0;
  SteadyInstant closed_until_{};
};

}  // namespace todoku::queue
