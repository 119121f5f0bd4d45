// SPDX-License-Identifier: Apache-2.0
// Tells of steps that fail: a full disk may last for hours, and every pass would say so.
#pragma once

#include <map>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/trouble.h"

namespace todoku::delivery::scheduler {

class StepReports {
 public:
  // `step`: a literal.
  void report(std::string_view step, const Result<void>& result, SteadyInstant now) {
    const auto known = troubles_.find(step);
    if (result) {
      if (known != troubles_.end()) known->second.worked(now);
      return;
    }
    Trouble& trouble = known != troubles_.end()
                           ? known->second
                           : troubles_
                                 .try_emplace(step, log::Level::error, "scheduling step fails",
                                              "scheduling step succeeds again", step)
                                 .first->second;
    trouble.failed(now, {{"about", step}, {"reason", result.error().detail}});
  }

 private:
  std::map<std::string_view, Trouble> troubles_;
};

}  // namespace todoku::delivery::scheduler
