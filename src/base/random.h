// SPDX-License-Identifier: Apache-2.0
// Randomness as a parameter: jitter, odds and spreading take a Random, tests give a seeded one.
// Secrets never come from here (see base/digest.h, random_bytes).
#pragma once

#include <cstdint>

namespace todoku {

class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;

  // Uniform in [0, bound). bound must be > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    // Multiply-shift keeps the bias below 2^-32 for every bound we use.
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * static_cast<Wide>(bound)) >>
                                      64U);
  }
  // Uniform in [0, 1).
  [[nodiscard]] double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
};

// SplitMix64: small, fast, good enough for jitter and repeatable tests. Not for secrets, not
// thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next() override {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace todoku
