// SPDX-License-Identifier: Apache-2.0
// Waiting for time and for one another, within one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/wait_traits.hpp>

#include "async/task.h"
#include "async/timer_clock.h"
#include "base/clock.h"

namespace todoku::async {

class SteadyTimer
    : public boost::asio::basic_waitable_timer<TimerClock, boost::asio::wait_traits<TimerClock>,
                                               Executor> {
 public:
  explicit SteadyTimer(const Executor& executor) : basic_waitable_timer(executor) {}

  std::size_t expires_at(time_point at) {
    if (SimulatedTime* simulated = SimulatedTime::current()) simulated->timer_set(at);
    return basic_waitable_timer::expires_at(at);
  }
  std::size_t expires_after(duration wait) { return expires_at(TimerClock::now() + wait); }
};

inline constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable_t<Executor>());

// True after the full time, false if the task was cancelled before.
Task<bool> sleep_for(Microseconds duration);

// A wake-up call between tasks of one thread. A notification without a waiter is kept (once), so
// "check, then wait" loses nothing.
class Signal {
 public:
  explicit Signal(Executor executor) : executor_(std::move(executor)) {}

  // Returns after notify() (or one kept from before), at the deadline, or on cancellation.
  // True if it was notified.
  Task<bool> wait_until(SteadyInstant deadline);
  Task<bool> wait() { return wait_until(SteadyInstant::max()); }
  // Wakes every waiter; kept for the next one if there is none. Same thread only.
  void notify();

 private:
  Executor executor_;
  std::vector<SteadyTimer*> waiters_;  // each lives in its waiter's frame while it waits
  std::uint64_t notifications_ = 0;
  bool kept_ = false;
};

}  // namespace todoku::async
