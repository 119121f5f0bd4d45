// SPDX-License-Identifier: Apache-2.0
// Instants and durations as people read them.
#pragma once

#include <chrono>
#include <string>

#include "base/bilingual.h"
#include "base/clock.h"

namespace todoku::explain {

// East of UTC: the zone of the API, and of times for people where none was asked for.
inline constexpr std::chrono::minutes kJapan = std::chrono::hours(9);

// "2026-01-05 10:00:03 JST": in the zone so far east of UTC, named if it is Japan's or UTC itself,
// else written as "+01:00".
[[nodiscard]] std::string time_text(Instant instant, std::chrono::minutes offset);

// The two largest units: "7 ms", "1.2 s", "4 min 30 s", "2 h 5 min", "3 d 4 h". Negative counts as
// zero.
[[nodiscard]] std::string duration_text(Milliseconds duration, Language language);

}  // namespace todoku::explain
