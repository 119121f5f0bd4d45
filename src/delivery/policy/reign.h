// SPDX-License-Identifier: Apache-2.0
// Whether we lead, and when we may begin to, of which the store lets only one at a time
// (store/cluster.h).
//
//   stands by ──may_take()──> asks ──confirmed()──> leads ──confirmed(), every renewal──> leads
//       ^                      │                      │ by our own steady clock 2 s before the
//       └──────lost()──────────┘                      v store's lease ends, or lost()
//       └─────────────────────────────────────── stands by
//
// Two never lead at once, however the clocks run: who leads stops by its own steady clock, 6 s
// after it asked for its last renewal (lease_life.h); who takes over has watched for 8 s of its own
// that there was none (renewal_watch.h). Only what was given up, or is a void node's, is taken at
// once: a node becomes void after more than a reign's length, or because it is known to be gone.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "delivery/policy/lease_life.h"
#include "delivery/policy/renewal_watch.h"

namespace todoku::delivery::policy {

class Reign {
 public:
  // How long the store lets a reign run without renewal.
  explicit Reign(Milliseconds length) : length_(length) {}

  // What the store says of who leads; nullopt: nobody. `itself`: our own node. Whether the store
  // may be asked for the lead now.
  [[nodiscard]] bool may_take(const std::optional<RenewalWatch::Seen>& leader, std::int64_t itself,
                              SteadyInstant asked, SteadyInstant answered) {
    if (!leader) {
      watch_.look({}, asked, answered);
      return true;
    }
    watch_.look({*leader}, asked, answered);
    return leader->node == itself || leader->is_void ||
           watch_.unrenewed_for(leader->node) >= length_;
  }
  // The store has said that we lead; it was asked at `asked`.
  void confirmed(SteadyInstant asked) { life_.renewed(asked, length_); }
  // The store has said that another leads, or we have given it up.
  void lost() { life_.lost(); }

  [[nodiscard]] bool leads(SteadyInstant now) const { return life_.holds(now); }
  // When that ends, unless it is confirmed again.
  [[nodiscard]] SteadyInstant until() const { return life_.until(); }

 private:
  const Milliseconds length_;
  LeaseLife life_;
  RenewalWatch watch_;
};

}  // namespace todoku::delivery::policy
