// SPDX-License-Identifier: Apache-2.0
// A day and a night of mail with peaks, and couriers whose number follows a figure. Metrics arrive
// one to three minutes late, tasks take one to two minutes to start. One seed makes one day. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "scaling/tracking.h"

namespace todoku::scaling {

// What the number of couriers follows.
enum class Figure : std::uint8_t {
  load,                 // todoku_courier_load_ratio: what docs/scale.md recommends
  work_seconds,         // todoku_work_seconds alone
  backlog_per_courier,  // todoku_backlog_per_courier alone
  queue_depth,          // recipients that wait, not per courier
  processor,            // of a courier that waits for receivers most of the time
};

struct DayOptions {
  std::uint64_t seed = 0;
  Figure figure = Figure::load;
  TrackingOptions tracking;
  double receivers_take = 0;  // recipients a second that receivers take in all; 0: any number
};

inline constexpr std::int64_t kPeaks = 5;

struct DayResult {
  // Times that capacity turned back by a quarter, and by two couriers, from its highest after
  // growing or its lowest after shrinking. One courier more or less between is none.
  std::int64_t turns = 0;
  double oldest_seconds = 0;      // the longest that a recipient waited
  std::int64_t couriers_max = 0;  // most at once
  double courier_hours = 0;
};

[[nodiscard]] DayResult play_day(const DayOptions& options);

}  // namespace todoku::scaling
