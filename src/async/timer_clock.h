// SPDX-License-Identifier: Apache-2.0
// The clock that timers run by: the machine's, unless this thread's time is simulated.
#pragma once

#include <chrono>
#include <set>

#include "base/clock.h"

namespace todoku::async {

// While it lives, the timers of this thread's io_contexts follow `clock`, which must outlive it.
// The simulation moves the clock and then polls its io_contexts; it never runs them, because they
// would wait in real time. One at a time in a thread; other threads go on as before.
class SimulatedTime {
 public:
  explicit SimulatedTime(const Clock& clock);
  ~SimulatedTime();
  SimulatedTime(const SimulatedTime&) = delete;
  SimulatedTime& operator=(const SimulatedTime&) = delete;

  // The next instant for which a timer was set, SteadyInstant::max() if there is none. The timer
  // may have been cancelled since: then nothing happens at that instant.
  [[nodiscard]] SteadyInstant next();

  // The one of this thread, nullptr if its time is real.
  [[nodiscard]] static SimulatedTime* current() { return current_; }
  [[nodiscard]] SteadyInstant now() const { return clock_.steady_now(); }
  void timer_set(std::chrono::steady_clock::time_point at);

 private:
  static constinit thread_local SimulatedTime* current_;
  const Clock& clock_;
  std::set<SteadyInstant> instants_;
};

// A clock in the sense of the standard, whose instants are those of std::chrono::steady_clock.
struct TimerClock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;

  [[nodiscard]] static time_point now() {
    const SimulatedTime* simulated = SimulatedTime::current();
    return simulated == nullptr ? std::chrono::steady_clock::now() : simulated->now();
  }
};

}  // namespace todoku::async
