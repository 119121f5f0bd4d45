// SPDX-License-Identifier: Apache-2.0
// What was freed and lies in holes between what is in use goes back to the system. glibc does that
// by itself only at the end of its heaps: after ten thousand TLS handshakes at once, say, half of
// what they took for a moment would stay with the process until it ends.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace todoku::app {

struct MemoryUse {
  std::uint64_t resident = 0;  // octets of anonymous memory; 0: not known
  std::uint64_t in_use = 0;    // of these, allocated and not freed
};
// Whether there is enough to be worth the work, in which allocations of others wait some
// milliseconds.
[[nodiscard]] bool is_worth_returning(const MemoryUse& use);

// When to do it again. Free memory in holes of less than a page cannot go back, however much there
// is of it, and looking for more stops all who allocate: each time that brings nothing the next is
// twice as late. Pure.
class ReturnPace {
 public:
  static constexpr Milliseconds kAtFirst = std::chrono::seconds(10);
  static constexpr Milliseconds kAtMost = std::chrono::minutes(10);

  [[nodiscard]] bool is_due(SteadyInstant now) const { return now >= next_; }
  // It was done at `now`. Octets of anonymous memory before and after it; 0: not known.
  void note(std::uint64_t before, std::uint64_t after, SteadyInstant now);

 private:
  Milliseconds wait_ = kAtFirst;
  SteadyInstant next_{};
};

// Does it where it is due and worth it. True: it did. For a thread that has nothing else to do.
bool return_free_memory(ReturnPace& pace, SteadyInstant now);

}  // namespace todoku::app
