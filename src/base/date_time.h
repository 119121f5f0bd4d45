// SPDX-License-Identifier: Apache-2.0
// Date-times of the contract (blastengine-api.md section 1.6): written as JST to the second, read
// as ISO 8601 in every form its clients send. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace todoku {

// "2026-04-01T09:00:00+09:00".
[[nodiscard]] std::string format_date_time(Instant instant);
// "2026-04-01T00:00:00.000Z" (RFC 3339), for readers who know nothing of the contract.
[[nodiscard]] std::string format_utc(Instant instant);

// Reads a date with or without time, seconds, fraction and offset ("Z", "+09:00", "+0900", "+09",
// or a space where a '+' was lost in a query string). Without an offset it is JST. nullopt if it is
// no such text or no such day.
[[nodiscard]] std::optional<Instant> parse_date_time(std::string_view text);

}  // namespace todoku
