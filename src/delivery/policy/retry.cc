// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/retry.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/random.h"

namespace todoku::delivery::policy {

Milliseconds wait_after(const RetryOptions& options, std::uint32_t attempts, std::uint64_t spread) {
  check(attempts >= 1 && !options.waits.empty(), "a retry follows an attempt and has a schedule");
  const std::size_t index = std::min<std::size_t>(attempts - 1, options.waits.size() - 1);
  SeededRandom random(spread * 31 + attempts);
  const double stretch = 1.0 + options.jitter * random.unit();
  const Milliseconds wait(static_cast<std::int64_t>(
      static_cast<double>(Milliseconds(options.waits[index]).count()) * stretch));
  return std::chrono::ceil<std::chrono::seconds>(wait);
}

Outcome given_up(const RetryOptions& options) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(options.life_time);
  return {.state = RecipientState::expired,
          .stage = Stage::none,
          .reply = {0, fmt::format("4.4.7 given up: not delivered within {} hours", hours.count())},
          .is_attempt = false};
}

}  // namespace todoku::delivery::policy
