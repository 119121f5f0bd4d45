// SPDX-License-Identifier: Apache-2.0
#include "async/timer_clock.h"

#include "base/check.h"

namespace todoku::async {

constinit thread_local SimulatedTime* SimulatedTime::current_ = nullptr;

SimulatedTime::SimulatedTime(const Clock& clock) : clock_(clock) {
  check(current_ == nullptr, "a thread has one simulated time");
  current_ = this;
}

SimulatedTime::~SimulatedTime() {
  current_ = nullptr;
}

SteadyInstant SimulatedTime::next() {
  while (!instants_.empty() && *instants_.begin() <= now()) instants_.erase(instants_.begin());
  return instants_.empty() ? SteadyInstant::max() : *instants_.begin();
}

void SimulatedTime::timer_set(std::chrono::steady_clock::time_point at) {
  // Who waits for a notification alone sets a timer that never comes.
  constexpr std::chrono::hours never(24 * 365 * 100);
  const SteadyInstant instant = std::chrono::ceil<Microseconds>(at);
  if (instant > now() && instant - now() < never) instants_.insert(instant);
}

}  // namespace todoku::async
