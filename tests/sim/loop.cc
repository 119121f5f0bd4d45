// SPDX-License-Identifier: Apache-2.0
#include "sim/loop.h"

#include <algorithm>

#include "async/no_kernel_timers.h"
#include "async/timer_clock.h"

namespace todoku::sim {
namespace {
// Steps at one instant beyond which nothing sensible can be under way.
constexpr std::size_t kStepsMax = 5'000'000;
}  // namespace

bool Loop::run_ready() {
  // Threads would interleave in any order, and so do these.
  std::vector<boost::asio::io_context*> busy;
  std::size_t steps = 0;
  while (steps < kStepsMax) {
    busy = contexts_;
    bool stepped = false;
    while (!busy.empty()) {
      const std::size_t chosen = random_.below(busy.size());
      if (busy[chosen]->poll_one() > 0) {
        stepped = true;
        ++steps;
        break;
      }
      busy.erase(busy.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    if (!stepped) return true;
  }
  return false;
}

Loop::End Loop::run(const std::function<bool()>& done, SteadyInstant limit) {
  async::SimulatedTime time(clock_);
  while (true) {
    if (!run_ready()) return End::livelock;
    if (done()) return End::done;
    const SteadyInstant next = time.next();
    if (next == SteadyInstant::max()) return End::stuck;
    if (next > limit) return End::overtime;
    clock_.move_to(std::max(next, clock_.steady_now()));
  }
}

}  // namespace todoku::sim
