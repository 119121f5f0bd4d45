// SPDX-License-Identifier: Apache-2.0
// The simulation's clocks: both move only when told to, the wall clock also by leaps of its own, as
// when somebody sets the time of day. The store's threads read them while the simulation waits.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace todoku::sim {

class SimClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    const Microseconds run(steady_us_.load() - kSteadyStart.count());
    return kWallStart + std::chrono::floor<Milliseconds>(run) + Milliseconds(leap_ms_.load());
  }
  [[nodiscard]] SteadyInstant steady_now() const override {
    return SteadyInstant(Microseconds(steady_us_.load()));
  }
  // Time since the beginning of the simulation.
  [[nodiscard]] Microseconds elapsed() const {
    return Microseconds(steady_us_.load()) - kSteadyStart;
  }

  void move_to(SteadyInstant instant) { steady_us_ = instant.time_since_epoch().count(); }
  void leap(Milliseconds by) { leap_ms_ += by.count(); }

 private:
  static constexpr Instant kWallStart = from_epoch_ms(1'767'225'600'000);  // 2026-01-01T00:00:00Z
  static constexpr Microseconds kSteadyStart = std::chrono::hours(300);
  std::atomic<std::int64_t> steady_us_{kSteadyStart.count()};
  std::atomic<std::int64_t> leap_ms_{0};
};

// The clocks of one machine: its time of day is its own.
class NodeClock final : public Clock {
 public:
  explicit NodeClock(const SimClock& world) : world_(world) {}
  [[nodiscard]] Instant now() const override {
    return world_.now() + Milliseconds(apart_ms_.load());
  }
  [[nodiscard]] SteadyInstant steady_now() const override { return world_.steady_now(); }
  void leap(Milliseconds by) { apart_ms_ += by.count(); }

 private:
  const SimClock& world_;
  std::atomic<std::int64_t> apart_ms_{0};
};

}  // namespace todoku::sim
