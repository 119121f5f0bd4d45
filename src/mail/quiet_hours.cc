// SPDX-License-Identifier: Apache-2.0
#include "mail/quiet_hours.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include "base/bytes.h"

namespace todoku {
namespace {

using std::chrono::minutes;

constexpr std::size_t kZoneNameMax = 64;

using Zone = std::unique_ptr<icu::TimeZone>;

icu::UnicodeString icu_name(std::string_view name) {
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(name.data(), static_cast<std::int32_t>(name.size())));
}

// What names of the IANA's are made of. ICU reads a name up to a NUL alone.
bool is_zone_character(char c) {
  return is_ascii_alphanumeric(c) || c == '_' || c == '+' || c == '-' || c == '/';
}

// nullptr: there is none of that name.
Zone zone_of(std::string_view name) {
  if (!is_time_zone(name)) return nullptr;
  return Zone(icu::TimeZone::createTimeZone(icu_name(name)));
}

// How far ahead of UTC its clocks are then.
Milliseconds ahead(const icu::TimeZone& zone, Milliseconds at) {
  std::int32_t raw = 0;
  std::int32_t summer = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone.getOffset(static_cast<UDate>(at.count()), 0, raw, summer, status);
  return Milliseconds(raw) + Milliseconds(summer);
}

// When clocks show a time first and last: twice where they are put back over it. Where they are
// put forward over it: when that is done.
struct Readings {
  Instant first;
  Instant last;
};

// Clocks are changed once in two days at most.
Readings readings(const icu::TimeZone& zone, Milliseconds shown) {
  const Milliseconds before = ahead(zone, shown - std::chrono::days(1));
  const Milliseconds after = ahead(zone, shown + std::chrono::days(1));
  const Milliseconds by_old = shown - before;
  const Milliseconds by_new = shown - after;
  const bool old_shows = ahead(zone, by_old) == before;
  const bool new_shows = ahead(zone, by_new) == after;
  if (old_shows || new_shows) {
    const Milliseconds one = old_shows ? by_old : by_new;
    const Milliseconds other = new_shows ? by_new : by_old;
    return {.first = Instant(std::min(one, other)), .last = Instant(std::max(one, other))};
  }
  Milliseconds early = by_new;  // not changed yet
  Milliseconds late = by_old;   // changed
  while (late - early > Milliseconds(1)) {
    const Milliseconds middle = early + (late - early) / 2;
    (ahead(zone, middle) == after ? late : early) = middle;
  }
  return {.first = Instant(late), .last = Instant(late)};
}

struct Quiet {
  Instant from;
  Instant until;  // not after `from` if clocks are put forward over all of them
};

// Those that begin on a day (of the zone's calendar, since 1970). Whenever clocks show one of
// their times they go on, so that they begin at the first reading and end at the last.
Quiet quiet_of(const icu::TimeZone& zone, const QuietHours& hours, std::chrono::days day) {
  const auto last_day = hours.until > hours.from ? day : day + std::chrono::days(1);
  return {.from = readings(zone, day + hours.from).first,
          .until = readings(zone, last_day + hours.until).last};
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
  if (!std::ranges::all_of(name, &is_zone_character)) return false;
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
  const Milliseconds utc = now.time_since_epoch();
  const auto today = std::chrono::floor<std::chrono::days>(utc + ahead(*zone, utc));
  Instant open = now;
  // Those of the day before may go on.
  for (auto day = today - std::chrono::days(1);; day += std::chrono::days(1)) {
    const Quiet quiet = quiet_of(*zone, hours, day);
    if (quiet.until <= quiet.from || quiet.until <= open) continue;
    if (quiet.from > open) return {.from = open, .until = quiet.from};
    open = quiet.until;
  }
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
