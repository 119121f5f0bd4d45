// SPDX-License-Identifier: Apache-2.0
// How fast a delivery may go at most, by its sender's word: so many mails a minute or an hour.
// Pure: what has been taken so far is a point in time (a virtual one, up to which the pace is used
// up), which the store keeps, so that it holds across nodes and restarts.
//
// Mails are taken in blocks, so that no mail needs a statement of its own: what a twentieth of the
// period gives, ten seconds' worth at most. In no period, wherever it begins, more are taken than
// the pace says: what one block may be ahead is paid for by going that much more slowly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "mail/quiet_hours.h"

namespace todoku {

inline constexpr std::int64_t kPaceMailsMax = 1'000'000;

struct Pace {
  std::int64_t mails = 0;       // 1 to kPaceMailsMax
  std::chrono::minutes per{1};  // a minute or an hour
  friend bool operator==(const Pace&, const Pace&) = default;
};

// "600/minute", "10000/hour"; nullopt: it is neither, or beyond its limits.
[[nodiscard]] std::optional<Pace> parse_pace(std::string_view text);
[[nodiscard]] std::string to_string(const Pace& pace);
// "minute" or "hour".
[[nodiscard]] std::string_view unit_of(const Pace& pace);

// From one mail to the next.
[[nodiscard]] Microseconds interval_of(const Pace& pace);
// How many may be taken at once; at least 1.
[[nodiscard]] std::int64_t block_of(const Pace& pace);

struct PaceTaken {
  std::int64_t granted = 0;
  Microseconds used_to{};   // since 1970-01-01: what the next one begins from
  Milliseconds next_in{0};  // until a block can be taken again; 0: now
};
// Up to `want` mails. `used_to`: what the last one left; 0 at first.
[[nodiscard]] PaceTaken take_of(const Pace& pace, Microseconds used_to, Instant now,
                                std::int64_t want);
// Until something can be taken; 0: now.
[[nodiscard]] Milliseconds waits(const Pace& pace, Microseconds used_to, Instant now);

// Of `left` mails that are not begun: how many cannot be before `until`, about, where nothing is
// begun in quiet hours. Other attempts count as mails, so they may be more.
[[nodiscard]] std::int64_t left_over(const Pace& pace, const std::optional<QuietHours>& quiet,
                                     std::int64_t left, Instant now, Instant until);

}  // namespace todoku
