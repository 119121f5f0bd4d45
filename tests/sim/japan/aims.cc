// SPDX-License-Identifier: Apache-2.0
#include "sim/japan/aims.h"

#include <limits>

#include <fmt/format.h>

namespace todoku::sim::japan {

double time_beside(const Ran& ran, const Ran& oracle) {
  if (ran.whole.to_99.count() == 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(ran.whole.to_99.count()) /
         static_cast<double>(oracle.whole.to_99.count());
}

bool reaches_aims(const Ran& ran, const Ran& oracle) {
  return time_beside(ran, oracle) <= kTimeMost && ran.whole.limit_share() <= kLimitShareMost;
}

std::string aims_text(const Ran& ran, const Ran& oracle) {
  return fmt::format("{:.3f} times the oracle's time, {:.3f} % of answers about limits",
                     time_beside(ran, oracle), 100 * ran.whole.limit_share());
}

}  // namespace todoku::sim::japan
