// SPDX-License-Identifier: Apache-2.0
// When a recipient is tried again after a temporary failure, and when we give up.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "feedback/classify/meaning.h"
#include "mail/attempt.h"

namespace todoku::delivery::policy {

using Waits = std::vector<std::chrono::seconds>;

struct RetryOptions {
  // Wait after the 1st, 2nd, ... attempt; the last one repeats. RFC 5321 section 4.5.4.1 advises 30
  // minutes at least, but most troubles are short.
  Waits waits{std::chrono::seconds(60),   std::chrono::seconds(300),  std::chrono::seconds(900),
              std::chrono::seconds(1800), std::chrono::seconds(3600), std::chrono::seconds(7200)};
  // The same after a reply that greylists (RFC 6647: it opens after some minutes, five with most),
  // for as many attempts as there are waits; then the usual ones.
  Waits greylist_waits{std::chrono::seconds(180), std::chrono::seconds(180),
                       std::chrono::seconds(600)};
  // After a reply that wants less at a time. Never shorter than the usual wait.
  Waits rate_waits{std::chrono::seconds(600), std::chrono::seconds(1800),
                   std::chrono::seconds(3600), std::chrono::seconds(7200)};
  // After a 5xx at the greeting of every host. Likewise.
  Waits refused_waits{std::chrono::seconds(900), std::chrono::seconds(3600),
                      std::chrono::seconds(7200), std::chrono::seconds(14400)};
  double jitter = 0.15;                            // each wait is lengthened by up to this share
  Milliseconds life_time{std::chrono::hours(24)};  // from the start of the delivery
};

// How long to wait after `attempts` made, of which the last asks for `next`. That the life of the
// delivery ends before is the store's to say. `spread` is any number that is the same for
// recipients that should be retried together (their batch): it chooses the jitter, and waits are
// rounded up to whole seconds, so that a batch comes back as one piece.
[[nodiscard]] Milliseconds wait_after(const RetryOptions& options,
                                      feedback::classify::NextStep next, std::uint32_t attempts,
                                      std::uint64_t spread);

// What the story says of a recipient that has not been settled when its life time is over.
[[nodiscard]] Outcome given_up(const RetryOptions& options);

}  // namespace todoku::delivery::policy
