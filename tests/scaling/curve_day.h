// SPDX-License-Identifier: Apache-2.0
// One day of mail, minute by minute, on an installation as deploy/terraform makes it: a group of
// couriers in each zone that follows the load, and tasks of the API that follow the processor. No
// dice: what is told in docs/capacity.md is the same each time. Metrics arrive two minutes late,
// instances are warm after `warm_up`, ended ones finish what they have in hand. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "scaling/tracking.h"

namespace todoku::scaling {

enum class Curve : std::uint8_t {
  quiet,     // a working day's light and a quiet night
  noon,      // the same, and a bulk of four million at noon
  incident,  // the same; receivers of three fifths put mail off from 14:00 to 18:00, and from 14:00
             // on ten times as much transactional mail comes for half an hour
};

[[nodiscard]] std::optional<Curve> curve_of(std::string_view name);

struct CurveOptions {
  Curve curve = Curve::quiet;
  double day_mails = 10'000'000;  // of the light, without bulk and incident
  double pace = 500;              // of a courier, recipients a second
  double accept_seconds = 0;      // of one task's processor, for a transaction
  double api_processors = 1;      // of a task
  std::int64_t zones = 1;         // each with a group of its own
  TrackingOptions couriers;       // of a zone; cool-downs are the group's warm-up
  TrackingOptions api;
};

// Of the last second of a minute.
struct CurveMinute {
  double arrived = 0;         // recipients, since the day began
  double settled = 0;         // those that were tried for good
  double waiting = 0;         // that are due
  double oldest_seconds = 0;  // the longest that one of them waits
  double pace = 0;            // recipients settled a second, on the average of the minute
  std::int64_t couriers = 0;  // that work
  std::int64_t paid = 0;      // that cost: those that start and those that end, too
  std::int64_t api = 0;
};

struct CurveDay {
  std::vector<CurveMinute> minutes;  // 30 hours: a day, and the night after it
  std::int64_t scalings = 0;         // times that a group wanted another number
  // Least part of a courier's pace that was left over when a group became smaller, of what couriers
  // settled in that minute: below 0 the rest cannot carry what was running.
  double spare_least = 1;
  double ended_with = 0;  // most recipients that couriers had in hand when they were ended
};

[[nodiscard]] CurveDay play_curve(const CurveOptions& options);

}  // namespace todoku::scaling
