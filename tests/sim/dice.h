// SPDX-License-Identifier: Apache-2.0
// What the generators of worlds draw from their seed.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace todoku::sim {

class Dice {
 public:
  // `kind` tells apart what is made of the same seed.
  Dice(std::uint64_t seed, std::uint64_t kind) : random_(seed * 0x9E3779B97F4A7C15ULL + kind) {}

 protected:
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  [[nodiscard]] bool one_in(std::uint64_t n) { return below(n) == 0; }
  [[nodiscard]] double share(double most) { return random_.unit() * most; }
  [[nodiscard]] Microseconds between(Microseconds from, Microseconds until) {
    return from + Microseconds(below(static_cast<std::uint64_t>((until - from).count())));
  }

  SeededRandom random_;
};

}  // namespace todoku::sim
