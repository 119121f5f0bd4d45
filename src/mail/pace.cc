// SPDX-License-Identifier: Apache-2.0
#include "mail/pace.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace todoku {
namespace {

constexpr Microseconds kSpareMost = std::chrono::seconds(10);

// What may be taken at once, as time.
Microseconds spare_of(const Pace& pace) {
  return std::min(Microseconds(pace.per) / 20, kSpareMost);
}

// As far back as what was not used is kept.
Microseconds reach_of(const Pace& pace) {
  return std::max(spare_of(pace), interval_of(pace));
}

Microseconds begins_at(const Pace& pace, Microseconds used_to, Microseconds now) {
  // A clock that was set back must not make anybody wait for it.
  return std::clamp(used_to, now - reach_of(pace), now + reach_of(pace));
}

Microseconds since_epoch(Instant now) {
  return Microseconds(now.time_since_epoch());
}

Milliseconds until_free(Microseconds begins, Microseconds wanted, Microseconds now) {
  const Microseconds at = begins + wanted;
  return at <= now ? Milliseconds(0) : std::chrono::ceil<Milliseconds>(at - now);
}

}  // namespace

std::optional<Pace> parse_pace(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Pace pace;
  const char* const end = text.data() + slash;
  const auto read = std::from_chars(text.data(), end, pace.mails);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  if (pace.mails < 1 || pace.mails > kPaceMailsMax) return std::nullopt;
  const std::string_view per = text.substr(slash + 1);
  if (per != "minute" && per != "hour") return std::nullopt;
  pace.per = std::chrono::minutes(per == "minute" ? 1 : 60);
  return pace;
}

std::string_view unit_of(const Pace& pace) {
  return pace.per == std::chrono::minutes(1) ? "minute" : "hour";
}

std::string to_string(const Pace& pace) {
  return fmt::format("{}/{}", pace.mails, unit_of(pace));
}

Microseconds interval_of(const Pace& pace) {
  const Microseconds period(pace.per);
  const auto share = [&pace](Microseconds of) {
    return Microseconds((of.count() + pace.mails - 1) / pace.mails);
  };
  const Microseconds spare = spare_of(pace);
  const Microseconds with_spare = share(period + spare);
  return with_spare <= spare ? with_spare : share(period);
}

std::int64_t block_of(const Pace& pace) {
  return std::max<std::int64_t>(spare_of(pace) / interval_of(pace), 1);
}

PaceTaken take_of(const Pace& pace, Microseconds used_to, Instant at, std::int64_t want) {
  const Microseconds now = since_epoch(at);
  const Microseconds interval = interval_of(pace);
  const Microseconds begins = begins_at(pace, used_to, now);
  const std::int64_t free = begins >= now ? 0 : (now - begins) / interval;
  PaceTaken taken;
  taken.granted = std::clamp<std::int64_t>(want, 0, free);
  taken.used_to = begins + taken.granted * interval;
  taken.next_in = until_free(taken.used_to, block_of(pace) * interval, now);
  return taken;
}

Milliseconds waits(const Pace& pace, Microseconds used_to, Instant at) {
  const Microseconds now = since_epoch(at);
  return until_free(begins_at(pace, used_to, now), interval_of(pace), now);
}

std::int64_t left_over(const Pace& pace, const std::optional<QuietHours>& quiet, std::int64_t left,
                       Instant now, Instant until) {
  const Milliseconds open =
      quiet ? open_between(*quiet, now, until) : std::max(until - now, Milliseconds(0));
  return std::max<std::int64_t>(left - Microseconds(open) / interval_of(pace), 0);
}

}  // namespace todoku
