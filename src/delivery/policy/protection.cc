// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/protection.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace todoku::delivery::policy {
namespace {

struct Measured {
  std::int64_t counted = 0;
  std::int64_t of = 0;
};

Measured measured(Rate rate, const OutcomeCounts& counts) {
  switch (rate) {
    case Rate::complaints:
      return {counts.complained, counts.reporting};
    case Rate::hard_bounces:
      return {counts.hard, counts.answered};
    case Rate::unknown_users:
      return {counts.unknown_users, counts.answered};
    case Rate::refusals:
      return {counts.answered - counts.delivered, counts.answered};
  }
  return {};
}

PerMillion share(const Measured& measured) {
  return measured.of <= 0 ? 0 : measured.counted * kWhole / measured.of;
}

ProtectionVerdict judge_rate(Rate rate, const OutcomeCounts& counts, ProtectionLevel now,
                             const RateLimits& limits) {
  const Measured found = measured(rate, counts);
  ProtectionVerdict verdict{.rate = rate, .counted = found.counted, .of = found.of};
  if (found.of <= 0 || found.of < limits.minimum) return verdict;
  const PerMillion reached = share(found);
  if (limits.pause > 0 && reached >= limits.pause) {
    verdict.level = ProtectionLevel::paused;
    verdict.limit = limits.pause;
  } else if (limits.warn > 0) {
    const bool was_warned = now == ProtectionLevel::warned;
    const PerMillion from = was_warned ? limits.warn * kCalmShare / kWhole : limits.warn;
    if (reached >= from) {
      verdict.level = ProtectionLevel::warned;
      verdict.limit = limits.warn;
    }
  }
  return verdict;
}

std::string_view words_of(Rate rate) {
  switch (rate) {
    case Rate::complaints:
      return "complaints";
    case Rate::hard_bounces:
      return "hard bounces";
    case Rate::unknown_users:
      return "unknown users";
    case Rate::refusals:
      return "refusals";
  }
  return {};
}

// In the order in which they are kept.
auto fields_of(auto& overrides) {
  return std::array{&overrides.complaints_warn,    &overrides.complaints_pause,
                    &overrides.complaints_minimum, &overrides.bounces_warn,
                    &overrides.bounces_pause,      &overrides.bounces_minimum,
                    &overrides.canary_recipients,  &overrides.canary_minutes};
}

}  // namespace

ProtectionLimits with(ProtectionLimits limits, const ProtectionOverrides& overrides) {
  RateLimits& complaints = limits.complaints;
  complaints.warn = overrides.complaints_warn.value_or(complaints.warn);
  complaints.pause = overrides.complaints_pause.value_or(complaints.pause);
  complaints.minimum = overrides.complaints_minimum.value_or(complaints.minimum);
  RateLimits& bounces = limits.hard_bounces;
  bounces.warn = overrides.bounces_warn.value_or(bounces.warn);
  bounces.pause = overrides.bounces_pause.value_or(bounces.pause);
  bounces.minimum = overrides.bounces_minimum.value_or(bounces.minimum);
  return limits;
}

std::optional<Canary> canary_of(const ProtectionOverrides& overrides) {
  const std::int64_t recipients = overrides.canary_recipients.value_or(0);
  if (recipients <= 0) return std::nullopt;
  return Canary{
      .recipients = recipients,
      .lasts = std::chrono::minutes(overrides.canary_minutes.value_or(kCanaryMinutesUsual))};
}

ProtectionLimits in_canary(ProtectionLimits limits) {
  constexpr std::int64_t kAnswersMin = 20;
  constexpr std::int64_t kReportingMin = 100;
  limits.refusals = {.warn = 0, .pause = limits.hard_bounces.pause, .minimum = kAnswersMin};
  if (limits.hard_bounces.warn > 0) limits.hard_bounces.pause = limits.hard_bounces.warn;
  limits.hard_bounces.minimum = std::min(limits.hard_bounces.minimum, kAnswersMin);
  if (limits.complaints.warn > 0) limits.complaints.pause = limits.complaints.warn;
  limits.complaints.minimum = std::min(limits.complaints.minimum, kReportingMin);
  return limits;
}

std::string pack(const ProtectionOverrides& overrides) {
  if (overrides == ProtectionOverrides{}) return {};
  std::string packed;
  for (const auto* field : fields_of(overrides)) {
    if (!packed.empty()) packed += ' ';
    packed += *field ? std::to_string(**field) : "-";
  }
  return packed;
}

Result<ProtectionOverrides> unpack_overrides(std::string_view packed) {
  ProtectionOverrides overrides;
  if (packed.empty()) return overrides;
  std::size_t place = 0;
  for (auto* field : fields_of(overrides)) {
    if (place > packed.size()) return fail(ErrorKind::corrupt, "limits of protection lack some");
    const std::size_t end = std::min(packed.find(' ', place), packed.size());
    const std::string_view word = packed.substr(place, end - place);
    place = end + 1;
    if (word == "-") continue;
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || rest != word.data() + word.size() || number < 0) {
      return fail(ErrorKind::corrupt, "limits of protection that are kept cannot be read");
    }
    *field = number;
  }
  return overrides;
}

std::string_view to_string(ProtectionLevel level) {
  switch (level) {
    case ProtectionLevel::calm:
      return "calm";
    case ProtectionLevel::warned:
      return "warned";
    case ProtectionLevel::paused:
      return "paused";
  }
  return {};
}

std::string_view to_string(Rate rate) {
  switch (rate) {
    case Rate::complaints:
      return "complaints";
    case Rate::hard_bounces:
      return "hard_bounces";
    case Rate::unknown_users:
      return "unknown_users";
    case Rate::refusals:
      return "refusals";
  }
  return {};
}

std::string percent_of(PerMillion share) {
  std::string text = fmt::format("{:.4f}", static_cast<double>(share) / kPerMillionOfPercent);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + " %";
}

std::string sentence_of(const ProtectionVerdict& verdict) {
  // Two digits behind the point tell enough, unless it is less than one per cent.
  constexpr PerMillion kPercent = 10'000;
  constexpr PerMillion kHundredthOfPercent = kPercent / 100;
  PerMillion shown = share({verdict.counted, verdict.of});
  if (shown >= kPercent) {
    shown = (shown + kHundredthOfPercent / 2) / kHundredthOfPercent * kHundredthOfPercent;
  }
  return fmt::format("{}: {} of {} ({}); the limit is {}", words_of(verdict.rate), verdict.counted,
                     verdict.of, percent_of(shown), percent_of(verdict.limit));
}

std::optional<PerMillion> rate_of(Rate rate, const OutcomeCounts& counts) {
  const Measured found = measured(rate, counts);
  if (found.of <= 0) return std::nullopt;
  return share(found);
}

ProtectionVerdict judge(const OutcomeCounts& counts, ProtectionLevel now,
                        const ProtectionLimits& limits) {
  // In the order of what weighs more: of two that are as bad the first is told.
  const ProtectionVerdict verdicts[] = {
      judge_rate(Rate::complaints, counts, now, limits.complaints),
      judge_rate(Rate::unknown_users, counts, now, limits.unknown_users),
      judge_rate(Rate::hard_bounces, counts, now, limits.hard_bounces),
      judge_rate(Rate::refusals, counts, now, limits.refusals)};
  ProtectionVerdict worst{.level = ProtectionLevel::calm};
  for (const ProtectionVerdict& verdict : verdicts) {
    if (verdict.level > worst.level) worst = verdict;
  }
  if (now == ProtectionLevel::paused) worst.level = ProtectionLevel::paused;
  return worst;
}

}  // namespace todoku::delivery::policy
