// SPDX-License-Identifier: Apache-2.0
// Tells of steps that fail once, and once when they succeed again: a full disk may last for hours,
// and every pass would say so.
#pragma once

#include <set>
#include <string_view>

#include "base/log.h"
#include "base/result.h"

namespace todoku::delivery::scheduler {

class StepReports {
 public:
  // `step`: a literal.
  void report(std::string_view step, const Result<void>& result) {
    if (!result && failing_.insert(step).second) {
      log::error("scheduling step fails", {{"step", step}, {"reason", result.error().detail}});
    }
    if (result && failing_.erase(step) > 0) {
      log::info("scheduling step succeeds again", {{"step", step}});
    }
  }

 private:
  std::set<std::string_view> failing_;
};

}  // namespace todoku::delivery::scheduler
