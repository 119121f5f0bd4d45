// SPDX-License-Identifier: Apache-2.0
// The promises, compared with what the receivers and the store say after a scenario was played.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/world.h"

namespace todoku::sim {

// What was seen, for those who ask whether the scenarios are worth something.
struct Figures {
  std::size_t recipients = 0;  // accepted
  std::size_t taken = 0;
  std::size_t crashes = 0;
  std::size_t lapses = 0;               // times that a living run counted as dead
  std::size_t repeats_after_lapse = 0;  // in runs with some
  std::size_t repeats_in_doubt = 0;     // the receiver took the mail and lost the connection
  std::size_t repeats_after_crash = 0;
  std::size_t crash_allowance = 0;  // what all crashes together would have allowed
  std::size_t delivered = 0;
  std::size_t bounced = 0;
  std::size_t expired = 0;
  std::size_t unknown = 0;
  std::size_t reigns = 0;      // of rivals
  std::size_t ownerships = 0;  // of their sources

  Figures& operator+=(const Figures& other);
};

struct Findings {
  std::vector<std::string> broken;  // promises, in words; empty if all were kept
  Figures figures;
};

[[nodiscard]] Findings check_promises(const World& world);

}  // namespace todoku::sim
