// SPDX-License-Identifier: Apache-2.0
// Time as a parameter. Wall-clock instants are what is stored and shown; steady instants are what
// waits are measured with. Nothing outside async/ and app/ asks the system for the time.
#pragma once

#include <chrono>
#include <cstdint>

namespace todoku {

using Milliseconds = std::chrono::milliseconds;

// A wall-clock instant in UTC with millisecond resolution: the unit of everything stored.
using Instant = std::chrono::sys_time<Milliseconds>;

// A monotonic instant with microsecond resolution, for pacing, time-outs and latencies.
using Microseconds = std::chrono::microseconds;
using SteadyInstant = std::chrono::time_point<std::chrono::steady_clock, Microseconds>;

[[nodiscard]] constexpr std::int64_t to_epoch_ms(Instant instant) {
  return instant.time_since_epoch().count();
}
[[nodiscard]] constexpr Instant from_epoch_ms(std::int64_t ms) {
  return Instant(Milliseconds(ms));
}

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual SteadyInstant steady_now() const = 0;
};

// The machine's clocks. Only app/ and programs that measure make one.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] SteadyInstant steady_now() const override;
};

// A clock that moves only when told to.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Instant start = from_epoch_ms(1'767'225'600'000))  // 2026-01-01T00:00:00Z
      : now_(start) {}
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] SteadyInstant steady_now() const override { return steady_; }
  void advance(Microseconds by) {
    steady_ += by;
    now_ += std::chrono::floor<Milliseconds>(by);
  }
  void jump_wall_clock(Milliseconds by) { now_ += by; }

 private:
  Instant now_;
  SteadyInstant steady_{};
};

}  // namespace todoku
