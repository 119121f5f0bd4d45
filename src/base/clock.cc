// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

namespace todoku {

Instant SystemClock::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

SteadyInstant SystemClock::steady_now() const {
  return std::chrono::time_point_cast<Microseconds>(std::chrono::steady_clock::now());
}

}  // namespace todoku
