// SPDX-License-Identifier: Apache-2.0
// From a seed to rivals: what ends leases and ownership, and what only seems to.
#include <algorithm>
#include <utility>

#include "sim/dice.h"
#include "sim/rivals.h"

namespace todoku::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class RivalGenerator : private Dice {
 public:
  explicit RivalGenerator(std::uint64_t seed) : Dice(seed, 23) { script_.seed = seed; }

  RivalScript make() {
    script_.nodes = 2 + below(3);
    script_.sources = 1 + below(4);
    script_.store.commit = milliseconds(1 + below(80));
    if (one_in(3)) script_.store.repeated = share(0.2);
    if (one_in(5)) script_.store.failing = share(0.1);
    if (one_in(4)) script_.store.slow_reads = share(0.3);
    const std::size_t count = 3 + below(8);
    for (std::size_t i = 0; i < count; ++i) {
      add_incident(between(milliseconds(200), seconds(150)));
    }
    std::ranges::sort(script_.incidents, {}, &RivalIncident::at);
    return std::move(script_);
  }

 private:
  void add_incident(Microseconds at) {
    const std::size_t node = below(script_.nodes);
    const auto add = [&](auto what) { script_.incidents.push_back({.at = at, .what = what}); };
    switch (below(9)) {
      case 0:
        add(Crash{between(milliseconds(1), seconds(60)), node});
        break;
      case 1:
        add(Stall{between(seconds(1), seconds(70)), node});
        break;
      case 2:
        add(StoreAway{between(seconds(1), seconds(70)), node});
        break;
      case 3:  // a fail-over that one of them does not see
        add(StoreAway{between(seconds(10), seconds(70)), node});
        add(ClockLeap{leap()});
        break;
      case 4:
        add(ClockLeap{leap()});
        break;
      case 5:
        add(NodeClockLeap{leap(), node});
        break;
      case 6:
        add(DiskFull{between(seconds(1), seconds(40))});
        break;
      case 7:
        add(AddressAway{between(seconds(1), seconds(60)), node, below(script_.sources)});
        break;
      default:
        add(Restart{between(milliseconds(1), seconds(20)), between(seconds(1), seconds(20)), node});
        break;
    }
  }
  // Up to ten minutes, either way.
  [[nodiscard]] Milliseconds leap() {
    return Milliseconds(static_cast<std::int64_t>(below(1'200'000))) - minutes(10);
  }

  RivalScript script_;
};

}  // namespace

RivalScript generate_rivals(std::uint64_t seed) {
  return RivalGenerator(seed).make();
}

}  // namespace todoku::sim
