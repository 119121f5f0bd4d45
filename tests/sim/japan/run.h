// SPDX-License-Identifier: Apache-2.0
// One bulk in one world by one strategy, from event to event: nothing waits but simulated time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/japan/strategy.h"
#include "sim/japan/world.h"

namespace todoku::sim::japan {

// Of a large receiver, or of all small hosts together.
struct Part {
  std::uint64_t recipients = 0;
  std::uint64_t taken = 0;
  std::uint64_t unknown = 0;
  std::array<std::uint64_t, kSaidCount> said{};  // answers, by what they said
  Microseconds to_99{};                          // from the beginning; 0: not within the horizon

  [[nodiscard]] std::uint64_t limit_replies() const;
  // Of all that it answered.
  [[nodiscard]] double limit_share() const;
};

struct Ran {
  Part whole;
  std::map<std::string, Part, std::less<>> parts;  // small hosts are "small hosts"
  std::vector<std::uint64_t> done_by_minute;       // recipients at an end, from the beginning
  std::uint64_t waiting = 0;                       // still, at the horizon
  // Times that a lane had more connections, messages on one or messages a second than the strategy
  // itself promises (Strategy::ceilings).
  std::uint64_t ceilings_passed = 0;
};

// `horizon`: what has not ended by then is left waiting.
[[nodiscard]] Ran run(const World& world, Strategy& strategy,
                      Microseconds horizon = std::chrono::hours(48));

}  // namespace todoku::sim::japan
