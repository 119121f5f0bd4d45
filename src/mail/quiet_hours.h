// SPDX-License-Identifier: Apache-2.0
// Hours of the day in which nothing of a bulk delivery is begun: from and until, in a time zone
// that is named, so that they are what its readers' clocks say in summer and in winter, and on the
// day between: whenever clocks show one of their times they go on, from the first time that a clock
// which is put back shows their beginning until it shows their end last. Pure: what
// zones there are and when they change their clocks is known by ICU, whose data come with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace todoku {

struct QuietHours {
  std::chrono::minutes from{};  // of the day, 0 to 1,439; they are quiet from this on ...
  std::chrono::minutes
      until{};       // ... to this, on the next day if it is less; never equal to `from`
  std::string zone;  // as the IANA names it: Asia/Tokyo
  friend bool operator==(const QuietHours&, const QuietHours&) = default;
};

// From when to when something may be begun: what is going on, or comes next.
struct OpenWindow {
  Instant from{};   // not later than now: it is open
  Instant until{};  // the quiet hours begin again
};

// "21:00"; nullopt: that is no time of a day.
[[nodiscard]] std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);
[[nodiscard]] std::string time_of_day(std::chrono::minutes time);

// A name of the IANA's, of letters, digits, and _ + - / alone.
[[nodiscard]] bool is_time_zone(std::string_view name);

// "21:00-08:00 Asia/Tokyo". invalid_input with what is wrong.
[[nodiscard]] Result<QuietHours> parse_quiet_hours(std::string_view text);
[[nodiscard]] std::string to_string(const QuietHours& hours);

// What a zone that nobody knows says: never open, for an hour from now on.
[[nodiscard]] OpenWindow open_window(const QuietHours& hours, Instant now);
// Until when they last; nullopt: it is none of them now.
[[nodiscard]] std::optional<Instant> quiet_until(const QuietHours& hours, Instant now);
// How much of the time between is none of them; what is later than some 400 of them is left out.
[[nodiscard]] Milliseconds open_between(const QuietHours& hours, Instant from, Instant until);

}  // namespace todoku
