// SPDX-License-Identifier: Apache-2.0
// A wall clock that does not go back. What is due in fifteen minutes is stored as an instant; if
// the machine's clock is put back by three hours meanwhile, it would be due in three hours more. So
// after a leap back this clock goes on at the pace of the steady one, ahead of the machine's, until
// the process ends or the machine's clock has caught up. Leaps forward are followed.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace todoku {

// Thread-safe, if `machine` is.
class ForwardClock final : public Clock {
 public:
  // Smaller steps back are followed: that is how a clock is kept right.
  static constexpr Milliseconds kFollowed{1'000};
  // So are larger ones: then the clock had been wrong before, and to go on with that would be worse
  // than to wait for what was written meanwhile.
  static constexpr Milliseconds kHeldMost = std::chrono::hours(24);

  // `machine` must outlive this clock.
  explicit ForwardClock(const Clock& machine) : machine_(machine) { (void)now(); }

  [[nodiscard]] Instant now() const override {
    const Instant wall = machine_.now();
    const Microseconds steady = machine_.steady_now().time_since_epoch();
    const Microseconds offset = Microseconds(wall.time_since_epoch()) - steady;
    const Microseconds ahead = Microseconds(offset_us_.load()) - offset;
    if (ahead <= kFollowed || ahead > kHeldMost) {
      offset_us_ = offset.count();
      return wall;
    }
    return wall + std::chrono::floor<Milliseconds>(ahead);
  }
  [[nodiscard]] SteadyInstant steady_now() const override { return machine_.steady_now(); }
  // What the machine's clock says: for what was promised for an instant of the calendar.
  [[nodiscard]] Instant wall_now() const { return machine_.now(); }

 private:
  const Clock& machine_;
  mutable std::atomic<std::int64_t> offset_us_{INT64_MIN / 4};
};

}  // namespace todoku
