// SPDX-License-Identifier: Apache-2.0
// What was taken in the current minute, by whatever it is limited by: a credential, an account, a
// network, a listener. Pure but for its lock; times are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace todoku::relay {

// Thread-safe.
class MinuteMeter {
 public:
  static constexpr Milliseconds kWindow = std::chrono::minutes(1);

  // Names whose minute is over are forgotten once there are more than `names_max`; when all are in
  // use, the one asked about is let pass uncounted, because memory is bounded.
  explicit MinuteMeter(std::size_t names_max = 100'000) : names_max_(names_max) {}

  // Counts `amount`, or says how long it is until that would fit. A single amount above the limit
  // passes alone, at the beginning of a minute. `most` 0: no limit, nothing is counted.
  [[nodiscard]] Milliseconds admit(std::string_view name, std::int64_t amount, std::int64_t most,
                                   SteadyInstant now);

 private:
  struct Minute {
    SteadyInstant begin{};
    std::int64_t used = 0;
  };
  void forget_old(SteadyInstant now);

  const std::size_t names_max_;
  std::mutex mutex_;
  std::unordered_map<std::string, Minute> minutes_;
};

}  // namespace todoku::relay
