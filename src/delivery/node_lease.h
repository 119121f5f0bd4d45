// SPDX-License-Identifier: Apache-2.0
// What everybody asks of this process as a node of the store: who it is, and whether something may
// be begun now (node.h keeps it so).
#pragma once

#include "store/keys.h"

namespace todoku::delivery {

// Thread-safe.
class NodeLease {
 public:
  virtual ~NodeLease() = default;
  // kNobody before it has entered.
  [[nodiscard]] virtual store::NodeKey key() const = 0;
  // Whether the lease holds, by this process's own steady clock.
  [[nodiscard]] virtual bool holds() const = 0;
  // The store has said that the lease lapsed, though it should not have: its clock was set. Asks
  // for it again at once.
  virtual void renew_soon() = 0;
};

}  // namespace todoku::delivery
