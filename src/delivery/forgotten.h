// SPDX-License-Identifier: Apache-2.0
// Which batches of a node are forgotten: the store says that the node holds them, and nobody there
// has them in hand. So it is where the answer to an accept or a claim was lost on its way back; the
// batch would stay with its node for as long as that lives.
//
// One look proves nothing, because the answer may be on its way. A batch is forgotten when it was
// missing at every look for a while, and everything that the store performed when it was first
// missed has been answered since.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "store/nodes.h"

namespace todoku::delivery {

// From the store's answer until somebody has its batch in hand: threads, not networks, are between.
inline constexpr Milliseconds kTakenInHandWithin = std::chrono::seconds(10);

class Forgotten {
 public:
  // A look at what `node` holds begins. `performing_since`: since when the store performs the
  // oldest of what it has not answered (store::StoreFigures).
  void begin(store::NodeKey node, SteadyInstant now, std::optional<SteadyInstant> performing_since);
  // Of what it holds, these are not in hand. Beyond a bound they wait for the next look.
  void missing(const std::vector<store::HeldBatch>& batches);
  // The look has seen all: those that are forgotten. They are missing on, until they are not held.
  [[nodiscard]] std::vector<store::HeldBatch> end();
  // Whether there is anything that the next look may find to be forgotten.
  [[nodiscard]] bool any() const { return !missed_.empty(); }

 private:
  using Missed = std::map<store::HeldBatch, SteadyInstant>;  // since when

  store::NodeKey node_ = store::kNobody;
  SteadyInstant now_{};
  std::optional<SteadyInstant> performing_since_;
  Missed missed_;
  Missed seen_;  // by the look that goes on
};

}  // namespace todoku::delivery
