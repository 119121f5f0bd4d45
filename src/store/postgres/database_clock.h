// SPDX-License-Identifier: Apache-2.0
// The database's clock as this process knows it: what the database said last, carried on by the
// steady clock here. For showing and comparing; what is decided is decided in the database.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace todoku::store::postgres {

// Thread-safe.
class DatabaseClock final : public Clock {
 public:
  // `said`: what a statement was told that was asked for and answered at these instants of the
  // steady clock, so that the truth lies between the two differences.
  void told(Instant said, SteadyInstant asked, SteadyInstant answered) {
    const Microseconds at = said.time_since_epoch();
    const std::int64_t least = (at - answered.time_since_epoch()).count();
    const std::int64_t most = std::max(least, (at - asked.time_since_epoch()).count());
    ahead_us_ = std::clamp(ahead_us_.load(), least, most);
  }

  [[nodiscard]] Instant now() const override {
    return Instant(std::chrono::floor<Milliseconds>(machine_.steady_now().time_since_epoch() +
                                                    Microseconds(ahead_us_.load())));
  }
  [[nodiscard]] SteadyInstant steady_now() const override { return machine_.steady_now(); }

 private:
  const SystemClock machine_;
  std::atomic<std::int64_t> ahead_us_{0};  // of the steady clock
};

}  // namespace todoku::store::postgres
