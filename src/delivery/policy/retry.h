// SPDX-License-Identifier: Apache-2.0
// When a recipient is tried again after a temporary failure, and when we give up.
#pragma once

#include <cstdint>
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

// How long to wait after `attempts` (>= 1) made. That the life of the delivery ends before is the
// store's to say. `spread` is any number that is the same for recipients that should be retried
// together (their batch): it chooses the jitter, and waits are rounded up to whole seconds, so that
// a batch comes back as one piece.
[[nodiscard]] Milliseconds wait_after(const RetryOptions& options, std::uint32_t attempts,
                                      std::uint64_t spread);

// What the story says of a recipient that has not been settled when its life time is over.
[[nodiscard]] Outcome given_up(const RetryOptions& options);

}  // namespace todoku::delivery::policy
