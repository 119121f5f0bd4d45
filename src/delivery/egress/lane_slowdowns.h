// SPDX-License-Identifier: Apache-2.0
// How often lanes went more slowly, by reason, as metrics: which site it was is told by the log and
// by `todoku lanes`.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "delivery/policy/adaptive_pace.h"

namespace todoku::delivery::egress {

// Thread-safe.
class LaneSlowdowns {
 public:
  explicit LaneSlowdowns(Metrics& metrics)
      : too_fast_(counter(metrics, policy::PaceReason::too_fast)),
        too_many_(counter(metrics, policy::PaceReason::too_many)),
        answers_late_(counter(metrics, policy::PaceReason::answers_late)) {}

  // Of the lane's change from one reason to another; growing counts nothing.
  void happened(policy::PaceReason reason) {
    if (reason == policy::PaceReason::too_fast) too_fast_.add();
    if (reason == policy::PaceReason::too_many) too_many_.add();
    if (reason == policy::PaceReason::answers_late) answers_late_.add();
  }

 private:
  static Counter& counter(Metrics& metrics, policy::PaceReason reason) {
    return metrics.counter("todoku_lane_slowdowns_total",
                           "Lanes that went more slowly, by reason: the receiver said that it was "
                           "too much, took no more connections, or answered ever later.",
                           {{"reason", std::string(to_string(reason))}});
  }

  Counter& too_fast_;
  Counter& too_many_;
  Counter& answers_late_;
};

}  // namespace todoku::delivery::egress
