// SPDX-License-Identifier: Apache-2.0
// Looks after the nodes of the store: declares dead those whose lease has lapsed (policy/
// node_watch.h says when that is believed), and offers again what dead ones held, in slices. Says
// aloud when a recipient is set aside.
#pragma once

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "delivery/node_lease.h"
#include "delivery/policy/node_watch.h"
#include "store/store.h"

namespace todoku::delivery::scheduler {

// Lives with its scheduler.
class NodeWatcher {
 public:
  NodeWatcher(store::Store& store, const NodeLease& itself, const Clock& clock, Metrics& metrics);

  // Looks if it is time for it. Errors of the store; the next look goes on.
  Task<Result<void>> look();
  // Nobody has looked since a while, as far as it knows: whoever lives may renew first.
  void begin_anew() { watch_.interrupted(); }
  // Whether the last look has offered something again.
  [[nodiscard]] bool offered() const { return offered_; }

 private:
  Task<Result<void>> bury(store::NodeKey node);
  Task<Result<void>> offer_again(store::NodeKey node);

  store::Store& store_;
  const NodeLease& itself_;
  const Clock& clock_;
  policy::NodeWatch watch_;
  SteadyInstant next_look_{};
  bool offered_ = false;
  Counter& offered_total_;
  Counter& set_aside_total_;
  Counter& unknown_total_;
};

}  // namespace todoku::delivery::scheduler
