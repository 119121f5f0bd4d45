// SPDX-License-Identifier: Apache-2.0
// What adaptive pacing is held to, beside an oracle that knows every limit at every moment.
#pragma once

#include <string>

#include "sim/japan/run.h"

namespace todoku::sim::japan {

constexpr double kTimeMost = 1.25;         // to 99 %, of the oracle's
constexpr double kLimitShareMost = 0.005;  // answers about limits, of all answers

// Infinite if `ran` did not come to 99 %.
[[nodiscard]] double time_beside(const Ran& ran, const Ran& oracle);
[[nodiscard]] bool reaches_aims(const Ran& ran, const Ran& oracle);
[[nodiscard]] std::string aims_text(const Ran& ran, const Ran& oracle);

}  // namespace todoku::sim::japan
