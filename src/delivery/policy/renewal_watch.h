// SPDX-License-Identifier: Apache-2.0
// For how long leases of others were not renewed, by our own steady clock.
//
// Intuition: a lease is counted in the store's time, and that clock may leap, so that a lease has
// ended there whose holder is at work. But a holder stops by its own steady clock, at the latest
// one lease after it asked for its last renewal. So whoever has watched a lease for its whole
// length without seeing a renewal knows that its holder has stopped, whatever the store's clock
// says. A renewal shows in the end of the lease being another one; not in how much of it is left,
// which changes with the clock.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace todoku::delivery::policy {

class RenewalWatch {
 public:
  struct Seen {
    std::int64_t node = 0;
    Instant until{};       // the end of its lease: another one after each renewal
    bool is_void = false;  // it cannot be renewed any more; `until` need not stay what it was
  };

  // What the store says; it was asked at `asked` and has answered at `answered`. Who is not among
  // `seen` is forgotten.
  void look(const std::vector<Seen>& seen, SteadyInstant asked, SteadyInstant answered) {
    asked_ = asked;
    std::map<std::int64_t, Watched> still;
    for (const Seen& one : seen) {
      // A renewal may be as young as the answer.
      Watched watched{.since = answered, .until = one.until};
      if (const auto before = watched_.find(one.node);
          before != watched_.end() && (one.is_void || before->second.until == one.until)) {
        watched.since = before->second.since;
      }
      still.insert_or_assign(one.node, watched);
    }
    watched_ = std::move(still);
  }

  // As of the last look. None for whom it did not see.
  [[nodiscard]] Microseconds unrenewed_for(std::int64_t node) const {
    const auto found = watched_.find(node);
    return found == watched_.end() ? Microseconds(0) : asked_ - found->second.since;
  }

 private:
  struct Watched {
    SteadyInstant since{};  // not renewed since
    Instant until{};
  };
  SteadyInstant asked_{};
  std::map<std::int64_t, Watched> watched_;
};

}  // namespace todoku::delivery::policy
