// SPDX-License-Identifier: Apache-2.0
// Those who hand in mail, and what they were told: the ground truth of "accepted means kept".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sim/engine.h"
#include "sim/scenario.h"
#include "store/recipients.h"

namespace todoku::sim {

// What became of handing in one mailing.
enum class Told : std::uint8_t {
  nothing,   // not handed in yet
  accepted,  // the engine has said so
  refused,   // likewise
  unclear,   // the process died before it answered, or the store did not say
};

struct HandedIn {
  Told told = Told::nothing;
  SteadyInstant at{};  // when it was handed in
  SteadyInstant answered{};
};

class Senders {
 public:
  Senders(const Scenario& scenario, const std::vector<store::Account>& accounts,
          const SimClock& clock, Trace& trace)
      : scenario_(scenario),
        accounts_(accounts),
        clock_(clock),
        trace_(trace),
        handed_in_(scenario.mailings.size()) {}

  // Hands in a mailing to this run and waits for its answer. To be awaited outside.
  Task<void> hand_in(Engine& engine, std::size_t mailing);

  [[nodiscard]] const HandedIn& handed_in(std::size_t mailing) const { return handed_in_[mailing]; }

 private:
  Task<Told> hand_in_transaction(Engine& engine, std::size_t mailing);
  Task<Told> hand_in_bulk(Engine& engine, std::size_t mailing);

  const Scenario& scenario_;
  const std::vector<store::Account>& accounts_;
  const SimClock& clock_;
  Trace& trace_;
  std::vector<HandedIn> handed_in_;
};

// The address of a mailing's recipient, unique in the scenario.
[[nodiscard]] std::string address_of(const Scenario& scenario, std::size_t mailing,
                                     std::size_t recipient);
// The subject by which a stored delivery is recognised.
[[nodiscard]] std::string subject_of(std::size_t mailing);

}  // namespace todoku::sim
