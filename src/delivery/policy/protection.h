// SPDX-License-Identifier: Apache-2.0
// Whether complaints and hard bounces have become so many that bulk mail has to wait, before
// receivers say so by blocking all of it. Pure: counts in, a verdict out.
//
//   calm <──> warned       its owner is told; the mail goes on
//     └────────┴──> paused ──(somebody resumes)──> calm, with a new baseline
//
// Nobody but a person ends a pause: rates of mail that is not sent do not get better. What was
// counted before a resumption is not counted again (the baseline), so that the same bounces do not
// pause it at once once more.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mail/outcome_counts.h"

namespace todoku::delivery::policy {

// Stored as these numbers: never renumber.
enum class ProtectionLevel : std::uint8_t { calm = 0, warned = 1, paused = 2 };
[[nodiscard]] std::string_view to_string(ProtectionLevel level);

// What is counted against what.
//   complaints      complained / reporting: mails whose receivers would have told
//   hard_bounces    hard / answered
//   unknown_users   unknown_users / answered: of one delivery at one receiver
//   refusals        what was not delivered, for whatever reason / answered: of a canary
enum class Rate : std::uint8_t { complaints, hard_bounces, unknown_users, refusals };
[[nodiscard]] std::string_view to_string(Rate rate);

// In parts per million: 0.1 % is 1,000. 0: it never does.
using PerMillion = std::int64_t;
inline constexpr PerMillion kWhole = 1'000'000;
inline constexpr double kPerMillionOfPercent = 10'000;

struct RateLimits {
  PerMillion warn = 0;
  PerMillion pause = 0;
  std::int64_t minimum = 0;  // of what is counted against; of fewer nothing is said
  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

struct ProtectionLimits {
  RateLimits complaints{.warn = 1'000, .pause = 3'000, .minimum = 1'000};
  RateLimits hard_bounces{.warn = 50'000, .pause = 100'000, .minimum = 200};
  // Of a delivery at one receiver; there is no warning: it stops there.
  RateLimits unknown_users{.warn = 0, .pause = 0, .minimum = 100};
  RateLimits refusals;  // of a canary alone
  friend bool operator==(const ProtectionLimits&, const ProtectionLimits&) = default;
};

// What an account has otherwise; nullopt: as the installation.
struct ProtectionOverrides {
  std::optional<PerMillion> complaints_warn;
  std::optional<PerMillion> complaints_pause;
  std::optional<std::int64_t> complaints_minimum;
  std::optional<PerMillion> bounces_warn;
  std::optional<PerMillion> bounces_pause;
  std::optional<std::int64_t> bounces_minimum;
  // Its bulk goes to a share of each receiver's recipients first (Canary); 0: it does not.
  std::optional<std::int64_t> canary_recipients;
  std::optional<std::int64_t> canary_minutes;
  friend bool operator==(const ProtectionOverrides&, const ProtectionOverrides&) = default;
};
[[nodiscard]] ProtectionLimits with(ProtectionLimits limits, const ProtectionOverrides& overrides);
// As it is kept: its numbers in their order, "-" for none. Empty: none has one.
[[nodiscard]] std::string pack(const ProtectionOverrides& overrides);
// Errors: corrupt.
[[nodiscard]] Result<ProtectionOverrides> unpack_overrides(std::string_view packed);

// What a bulk delivery begins with: so many recipients at each receiver, or a batch where that is
// more, for so long. The rest goes if it was not paused meanwhile; what else is a warning pauses
// it then, and so do refusals of whatever kind (in_canary()).
struct Canary {
  std::int64_t recipients = 0;
  std::chrono::minutes lasts{0};
  friend bool operator==(const Canary&, const Canary&) = default;
};
inline constexpr std::int64_t kCanaryMinutesUsual = 30;
// nullopt: the account has none.
[[nodiscard]] std::optional<Canary> canary_of(const ProtectionOverrides& overrides);
[[nodiscard]] ProtectionLimits in_canary(ProtectionLimits limits);

// nullopt: there is nothing that it could be measured by. Never a 0 for what is not known.
[[nodiscard]] std::optional<PerMillion> rate_of(Rate rate, const OutcomeCounts& counts);

struct ProtectionVerdict {
  ProtectionLevel level = ProtectionLevel::calm;
  // Of a level other than calm: for which rate, how many of how many, and the limit that it met.
  Rate rate = Rate::hard_bounces;
  std::int64_t counted = 0;
  std::int64_t of = 0;
  PerMillion limit = 0;
  friend bool operator==(const ProtectionVerdict&, const ProtectionVerdict&) = default;
};

// What counts say since the baseline. Of a warning the rate has to fall below kCalmShare of its
// limit before it is over, so that it does not come and go; a pause stays.
inline constexpr PerMillion kCalmShare = 800'000;
[[nodiscard]] ProtectionVerdict judge(const OutcomeCounts& counts, ProtectionLevel now,
                                      const ProtectionLimits& limits);

// "12.24 %", with as many digits as say something.
[[nodiscard]] std::string percent_of(PerMillion share);
// "hard bounces: 612 of 5000 (12.24 %); the limit is 10 %": for logs and events.
[[nodiscard]] std::string sentence_of(const ProtectionVerdict& verdict);

}  // namespace todoku::delivery::policy
