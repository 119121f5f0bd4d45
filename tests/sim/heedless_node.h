// SPDX-License-Identifier: Apache-2.0
// Nodes of the simulation.
#pragma once

#include <memory>
#include <utility>

#include "delivery/node.h"
#include "sim/scenario.h"

namespace todoku::sim {

// Goes on after its lease has lapsed.
class HeedlessNode final : public delivery::Node {
 public:
  using Node::Node;
  [[nodiscard]] bool holds() const override { return key() != store::kNobody; }
};

// Every run takes the name of the one before: what that had in hand is offered again.
[[nodiscard]] inline std::unique_ptr<delivery::Node> make_node(store::Store& store,
                                                               const Clock& clock, std::string name,
                                                               const Safeguards& safeguards,
                                                               Metrics& metrics,
                                                               const async::Executor& executor) {
  store::NewNode who{.name = std::move(name), .roles = "all", .version = "sim"};
  if (safeguards.lapse_respected) {
    return std::make_unique<delivery::Node>(store, clock, std::move(who), metrics, executor);
  }
  return std::make_unique<HeedlessNode>(store, clock, std::move(who), metrics, executor);
}

}  // namespace todoku::sim
