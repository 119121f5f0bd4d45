// SPDX-License-Identifier: Apache-2.0
// What was taken in the current minute, by the name of whatever it is limited by: an account, a
// network, a listener. Pure but for its lock; times are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace todoku {

// Thread-safe.
class MinuteMeter {
 public:
  static constexpr Milliseconds kWindow = std::chrono::minutes(1);

  // Whose minute it is, and what it may hold; `most` 0: no limit, nothing is counted.
  struct Limit {
    std::string name;
    std::int64_t most = 0;
  };
  struct Excess {
    std::size_t which = 0;  // of the limits asked about
    Milliseconds wait{};    // until it would fit; above 0
  };

  // Names whose minute is over are forgotten once there are more than `names_max`; when all are in
  // use, the one asked about is let pass uncounted, because memory is bounded.
  explicit MinuteMeter(std::size_t names_max = 100'000) : names_max_(names_max) {}

  // Counts `amount` (above 0) by all of them, or by none. A single amount above a limit passes
  // alone, where nothing was counted before; the minutes that it fills are waited for.
  [[nodiscard]] std::optional<Excess> admit(std::span<const Limit> limits, std::int64_t amount,
                                            SteadyInstant now);
  // The same, without counting.
  [[nodiscard]] std::optional<Excess> look(std::span<const Limit> limits, std::int64_t amount,
                                           SteadyInstant now);
  // Of what cannot be refused any more: whatever it comes to, the next one waits for it.
  void count(std::span<const Limit> limits, std::int64_t amount, SteadyInstant now);
  // Takes back what was admitted, from `since` on, and came to nothing. Nothing, where the minute
  // of then is over: what is in the next is not its own.
  void give_back(std::span<const Limit> limits, std::int64_t amount, SteadyInstant since);

  struct Use {
    std::int64_t used = 0;  // of the minute
    std::int64_t most = 0;  // as it was when the name was counted last
  };
  // nullopt: the name has not been counted, or is forgotten.
  [[nodiscard]] std::optional<Use> use_of(const std::string& name, SteadyInstant now);

 private:
  struct Minute {
    SteadyInstant begin{};
    std::int64_t used = 0;
    std::int64_t most = 0;
  };
  // How many minutes it takes.
  [[nodiscard]] static std::int64_t filled(const Minute& minute);
  static void roll(Minute& minute, SteadyInstant now);
  static void set_most(Minute& minute, std::int64_t most, SteadyInstant now);
  [[nodiscard]] std::optional<Excess> look_locked(std::span<const Limit> limits,
                                                  std::int64_t amount, SteadyInstant now);
  void count_locked(std::span<const Limit> limits, std::int64_t amount, SteadyInstant now);
  void forget_old(SteadyInstant now);

  const std::size_t names_max_;
  std::mutex mutex_;
  std::unordered_map<std::string, Minute> minutes_;
};

}  // namespace todoku
