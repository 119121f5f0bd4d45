// SPDX-License-Identifier: Apache-2.0
// When a recipient is tried again after a temporary failure, and when we give up.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "mail/attempt.h"

namespace todoku::delivery::policy {

struct RetryOptions {
  // Wait after the 1st, 2nd, ... attempt; the last one repeats. RFC 5321 section 4.5.4.1 advises 30
  // minutes at least, but greylisting (RFC 6647) opens after a few minutes, so the first are short.
  std::vector<std::chrono::seconds> waits{std::chrono::seconds(60),   std::chrono::seconds(300),
                                          std::chrono::seconds(900),  std::chrono::seconds(1800),
                                          std::chrono::seconds(3600), std::chrono::seconds(7200)};
  double jitter = 0.15;                            // each wait is lengthened by up to this share
  Milliseconds life_time{std::chrono::hours(24)};  // from the start of the delivery
};

// The next attempt after `attempts` (>= 1) made, or nullopt if the recipient's life time has run
// out by then. `spread` is any number that is the same for recipients that should be retried
// together (their batch): it chooses the jitter, and waits are rounded up to whole seconds, so that
// a batch comes back as one piece.
[[nodiscard]] std::optional<Instant> next_attempt_at(const RetryOptions& options,
                                                     std::uint32_t attempts, Instant started,
                                                     Instant now, std::uint64_t spread);

// True if a recipient that has not been settled by `now` is to be given up.
[[nodiscard]] bool life_time_over(const RetryOptions& options, Instant started, Instant now);
// What its story says then.
[[nodiscard]] Outcome given_up(const RetryOptions& options);

}  // namespace todoku::delivery::policy
