// SPDX-License-Identifier: Apache-2.0
// A row of the table steering, as both back ends have it: without a pace `mails` is 0, without
// quiet hours `zone` is empty and `goes_until` null.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "store/deliveries.h"
#include "store/steering.h"

namespace todoku::store {

struct SteeringRow {
  std::int64_t revision = 0;
  std::int64_t mails = 0;
  std::int64_t minutes = 0;
  std::int64_t quiet_from = 0;   // minutes of the day
  std::int64_t quiet_until = 0;  // likewise
  std::string zone;
  Instant goes_from{};
  std::optional<Instant> goes_until;
  std::int64_t used_to = 0;  // microseconds
};

[[nodiscard]] inline Steering steering_in(const SteeringRow& row) {
  Steering steering{
      .rules = {}, .revision = row.revision, .pace_used_to = Microseconds(row.used_to), .open = {}};
  if (row.mails > 0) steering.rules.pace = Pace{row.mails, std::chrono::minutes(row.minutes)};
  if (!row.zone.empty()) {
    steering.rules.quiet = QuietHours{.from = std::chrono::minutes(row.quiet_from),
                                      .until = std::chrono::minutes(row.quiet_until),
                                      .zone = row.zone};
  }
  if (row.goes_until) steering.open = OpenWindow{row.goes_from, *row.goes_until};
  return steering;
}

[[nodiscard]] inline SteeringRow steering_row(const SteeringRules& rules, Instant now) {
  SteeringRow row;
  if (rules.pace) {
    row.mails = rules.pace->mails;
    row.minutes = rules.pace->per.count();
  }
  if (rules.quiet) {
    row.quiet_from = rules.quiet->from.count();
    row.quiet_until = rules.quiet->until.count();
    row.zone = rules.quiet->zone;
    const OpenWindow open = open_window(*rules.quiet, now);
    row.goes_from = open.from;
    row.goes_until = open.until;
  }
  return row;
}

// What the scheduler goes by; rules apart from these are not in the row.
inline void note_steering(SendingDelivery& sending, const SteeringRow& row, Instant now) {
  const Steering steering = steering_in(row);
  sending.pace = steering.rules.pace;
  if (sending.pace) sending.waits = waits(*sending.pace, steering.pace_used_to, now);
  if (!steering.open) return;
  sending.waits = std::max(sending.waits, steering.open->from - now);
  sending.open_for = steering.open->until - now;
}

}  // namespace todoku::store
