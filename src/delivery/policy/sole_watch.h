// SPDX-License-Identifier: Apache-2.0
// Whether a process that must be the only one may begin, as seen by itself.
//
// Intuition: leases are counted in the store's time, and its clock may leap at a fail-over, so that
// a lease has lapsed there whose holder is at work. But a holder stops by its own steady clock, one
// lease after its last renewal at the latest. So one that was not seen to renew for a whole lease
// of our steady clock is gone, if its lease has lapsed or is longer than leases are, which is what
// a clock that went back makes of it; one that was seen to renew lives.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/clock.h"

namespace todoku::delivery::policy {

class SoleWatch {
 public:
  struct Seen {
    std::int64_t node = 0;
    Milliseconds left{};  // of its lease, in the store's time; negative: lapsed
  };
  enum class Verdict : std::uint8_t {
    alone,  // nobody else is left
    wait,   // not known yet: look again
    lives,  // somebody else does
  };
  // More left than the passing of time explains by so much: it was renewed.
  static constexpr Milliseconds kRenewed = std::chrono::seconds(1);

  explicit SoleWatch(Milliseconds lease) : lease_(lease) {}

  // What the store says of all others at `now`.
  [[nodiscard]] Verdict look(const std::vector<Seen>& others, SteadyInstant now) {
    auto verdict = Verdict::alone;
    std::map<std::int64_t, Watched> still;
    for (const Seen& seen : others) {
      Watched watched{.since = now, .looked = now, .left = seen.left};
      if (const auto before = watched_.find(seen.node); before != watched_.end()) {
        const Milliseconds expected =
            before->second.left -
            std::chrono::duration_cast<Milliseconds>(now - before->second.looked);
        if (seen.left > expected + kRenewed) {
          verdict = Verdict::lives;
        } else {
          watched.since = before->second.since;
        }
      }
      const bool runs = seen.left > Milliseconds(0) && seen.left <= lease_ + kRenewed;
      const bool gone = !runs && now - watched.since >= lease_;
      if (!gone && verdict == Verdict::alone) verdict = Verdict::wait;
      still.emplace(seen.node, watched);
    }
    watched_ = std::move(still);
    return verdict;
  }

 private:
  struct Watched {
    SteadyInstant since{};   // not seen to renew since
    SteadyInstant looked{};  // the last time
    Milliseconds left{};     // then
  };
  const Milliseconds lease_;
  std::map<std::int64_t, Watched> watched_;
};

}  // namespace todoku::delivery::policy
