// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/retry.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/check.h"
#include "base/random.h"
#include "delivery/policy/verdict.h"

namespace todoku::delivery::policy {
namespace {

using feedback::classify::NextStep;

// Before what is ours to mend is looked at again: each time is a line of its story.
constexpr Milliseconds kOwnWait = std::chrono::minutes(15);
// Before what we broke off is due again: at once, but not in a loop without a pause.
constexpr Milliseconds kSoon = std::chrono::seconds(10);

std::chrono::seconds of(const Waits& waits, std::uint32_t attempts) {
  check(attempts >= 1 && !waits.empty(), "a retry follows an attempt and has a schedule");
  return waits[std::min<std::size_t>(attempts - 1, waits.size() - 1)];
}

std::chrono::seconds at_least(const Waits& waits, std::uint32_t attempts,
                              std::chrono::seconds usual) {
  return waits.empty() ? usual : std::max(of(waits, attempts), usual);
}

std::chrono::seconds scheduled(const RetryOptions& options, NextStep next, std::uint32_t attempts) {
  const std::chrono::seconds usual = of(options.waits, attempts);
  switch (next) {
    case NextStep::retry_greylisted:
      return attempts <= options.greylist_waits.size() ? options.greylist_waits[attempts - 1]
                                                       : usual;
    case NextStep::retry_slowly:
      return at_least(options.rate_waits, attempts, usual);
    case NextStep::retry_refused:
      return at_least(options.refused_waits, attempts, usual);
    default:
      return usual;
  }
}

// "24 hours", "90 minutes", "4 seconds": the largest unit that loses nothing.
std::string length_text(Milliseconds length) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(length).count();
  const auto text = [&](std::int64_t unit, std::string_view word) {
    const std::int64_t count = seconds / unit;
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
  };
  if (seconds > 0 && seconds % 3600 == 0) return text(3600, "hour");
  if (seconds > 0 && seconds % 60 == 0) return text(60, "minute");
  return text(1, "second");
}

}  // namespace

Milliseconds wait_after(const RetryOptions& options, NextStep next, std::uint32_t attempts,
                        std::uint64_t spread) {
  if (next == NextStep::soon) return kSoon;
  if (next == NextStep::look_again || next == NextStep::wait_for_operator) return kOwnWait;
  SeededRandom random(spread * 31 + attempts);
  const double stretch = 1.0 + options.jitter * random.unit();
  const Milliseconds wait(static_cast<std::int64_t>(
      static_cast<double>(Milliseconds(scheduled(options, next, attempts)).count()) * stretch));
  return std::chrono::ceil<std::chrono::seconds>(wait);
}

Outcome given_up(const RetryOptions& options) {
  return outcome_of({.cause = Cause::out_of_time,
                     .words = fmt::format("4.4.7 given up: not delivered within {}",
                                          length_text(options.life_time))});
}

}  // namespace todoku::delivery::policy
