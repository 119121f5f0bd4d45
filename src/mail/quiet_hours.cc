// SPDX-License-Identifier: Apache-2.0
#include "mail/quiet_hours.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

namespace todoku {
namespace {

using std::chrono::minutes;

constexpr std::size_t kZoneNameMax = 64;

using Zone = std::unique_ptr<icu::TimeZone>;

icu::UnicodeString icu_name(std::string_view name) {
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(name.data(), static_cast<std::int32_t>(name.size())));
}

// nullptr: there is none of that name.
Zone zone_of(std::string_view name) {
  if (!is_time_zone(name)) return nullptr;
  return Zone(icu::TimeZone::createTimeZone(icu_name(name)));
}

// How far ahead of UTC its clocks are; `local`: at what time they show.
Milliseconds ahead(const icu::TimeZone& zone, Milliseconds at, bool local) {
  std::int32_t raw = 0;
  std::int32_t summer = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone.getOffset(static_cast<UDate>(at.count()), static_cast<UBool>(local), raw, summer, status);
  return Milliseconds(raw) + Milliseconds(summer);
}

// When clocks show this time of the day next, after `now`.
Instant next(const icu::TimeZone& zone, minutes time, Instant now) {
  const Milliseconds utc = now.time_since_epoch();
  const auto today = std::chrono::floor<std::chrono::days>(utc + ahead(zone, utc, false));
  for (auto day = today - std::chrono::days(1);; day += std::chrono::days(1)) {
    const Milliseconds shown = day + time;
    const Instant at(shown - ahead(zone, shown, true));
    if (at > now) return at;
  }
}

}  // namespace

std::optional<minutes> parse_time_of_day(std::string_view text) {
  const auto digit = [&text](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59) return std::nullopt;
  return std::chrono::hours(hour) + minutes(minute);
}

std::string time_of_day(minutes time) {
  return fmt::format("{:02}:{:02}", time.count() / 60, time.count() % 60);
}

bool is_time_zone(std::string_view name) {
  if (name.empty() || name.size() > kZoneNameMax) return false;
  icu::UnicodeString canonical;
  UBool is_system = 0;
  UErrorCode status = U_ZERO_ERROR;
  icu::TimeZone::getCanonicalID(icu_name(name), canonical, is_system, status);
  // What ICU makes of "GMT+9" is no name of the IANA's.
  return U_SUCCESS(status) != 0 && is_system != 0 && name != "Etc/Unknown";
}

Result<QuietHours> parse_quiet_hours(std::string_view text) {
  const auto space = text.find(' ');
  const std::string_view times = text.substr(0, space);
  const auto dash = times.find('-');
  if (space == std::string_view::npos || dash == std::string_view::npos) {
    return fail(ErrorKind::invalid_input,
                fmt::format("\"{}\" is not of the form 21:00-08:00 Asia/Tokyo", text));
  }
  const auto from = parse_time_of_day(times.substr(0, dash));
  const auto until = parse_time_of_day(times.substr(dash + 1));
  if (!from || !until) {
    return fail(ErrorKind::invalid_input,
                fmt::format("\"{}\" is not two times of a day such as 21:00-08:00", times));
  }
  if (*from == *until) {
    return fail(ErrorKind::invalid_input, fmt::format("\"{}\" begins when it ends", times));
  }
  const std::string_view zone = text.substr(space + 1);
  if (!is_time_zone(zone)) {
    return fail(ErrorKind::invalid_input,
                fmt::format("\"{}\" is no time zone such as Asia/Tokyo", zone));
  }
  return QuietHours{.from = *from, .until = *until, .zone = std::string(zone)};
}

std::string to_string(const QuietHours& hours) {
  return fmt::format("{}-{} {}", time_of_day(hours.from), time_of_day(hours.until), hours.zone);
}

OpenWindow open_window(const QuietHours& hours, Instant now) {
  const Zone zone = zone_of(hours.zone);
  if (zone == nullptr) {
    const Instant later = now + std::chrono::hours(1);
    return {.from = later, .until = later};
  }
  const Instant ends = next(*zone, hours.until, now);
  const Instant begins = next(*zone, hours.from, now);
  // What comes first tells whether they go on now.
  if (begins <= ends) return {.from = now, .until = begins};
  return {.from = ends, .until = next(*zone, hours.from, ends)};
}

std::optional<Instant> quiet_until(const QuietHours& hours, Instant now) {
  const OpenWindow window = open_window(hours, now);
  if (window.from <= now) return std::nullopt;
  return window.from;
}

Milliseconds open_between(const QuietHours& hours, Instant from, Instant until) {
  constexpr int kWindowsMax = 400;
  Milliseconds open{0};
  for (int windows = 0; from < until && windows < kWindowsMax; ++windows) {
    const OpenWindow window = open_window(hours, from);
    if (window.from >= until) break;
    open += std::min(window.until, until) - window.from;
    from = window.until;
  }
  return open;
}

}  // namespace todoku
