// SPDX-License-Identifier: Apache-2.0
// Rates of bounces and complaints: what became of bulk mail, counted by hour and by whom it could
// speak against, and where it stands (delivery/policy/protection.h decides). Who reads events
// counts (events/protection): the counts, the place up to which they go, and what follows from them
// are one commit, so that nothing counts twice and across a cluster one process decides.
//
// Bounded: receivers are those that rules name, all others count as one; what is older than
// kRateDays goes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/outcome_counts.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class RateScope : std::uint8_t {
  account = 0,               // all bulk mail of it
  sender_domain = 1,         // of the account, by the domain of From
  receiver = 2,              // of the account, by the receiver's site
  delivery = 3,              // one delivery
  delivery_at_receiver = 4,  // of one delivery, by the receiver's site
  // All mail of the account whose delivery has this tag, whatever its type; by day, in the hour
  // that begins it. It is counted alone, and nothing follows. Empty: all tags that were too many.
  tag = 5,
};
[[nodiscard]] std::string_view to_string(RateScope scope);

struct RateSubject {
  AccountKey account{};
  RateScope scope = RateScope::account;
  DeliveryKey delivery{};  // 0 where the scope is of none
  std::string name;        // of the domain or the site; else empty
  friend auto operator<=>(const RateSubject&, const RateSubject&) = default;
};

// So many tags of an account are counted apart on a day; all that come first later are one.
inline constexpr std::int64_t kTagsCountedMax = 100;

// Since 1970-01-01.
using RateHour = std::int64_t;
[[nodiscard]] constexpr RateHour rate_hour(Instant instant) {
  return std::chrono::floor<std::chrono::hours>(instant.time_since_epoch()).count();
}

inline constexpr std::int64_t kRateDays = 14;

// The hour that begins a day of Japan, for RateScope::tag. `days` before the one of this instant.
[[nodiscard]] constexpr RateHour tag_day(Instant instant, std::int64_t days = 0) {
  constexpr std::int64_t kHours = 24;
  constexpr std::int64_t kJapan = 9;  // hours east of UTC
  const std::int64_t day = (rate_hour(instant) + kJapan) / kHours - days;
  return day * kHours - kJapan;
}

struct RateIncrement {
  RateSubject subject;
  RateHour hour = 0;
  OutcomeCounts counts;
};

inline constexpr std::size_t kRateBecauseMax = 300;  // octets

// Where a subject stands. One without a row is at level 0 and has no baseline.
struct RateState {
  RateSubject subject;
  std::uint8_t level = 0;  // delivery::policy::ProtectionLevel
  Instant since{};         // it has this level
  std::string because;     // the sentence that was told
  // What counts begins behind this: the hour of the last resumption, and what of that hour had been
  // counted by then.
  RateHour baseline_hour = 0;
  OutcomeCounts baseline;
  friend bool operator==(const RateState&, const RateState&) = default;
};

struct RateFound {
  RateSubject subject;
  OutcomeCounts counts;  // from the hour that was asked for, and behind the baseline
  // Of the hour that is asked for, whatever the baseline: what a baseline is made of.
  OutcomeCounts this_hour;
  std::optional<RateState> state;
};

struct RateQuestion {
  AccountKey account{};
  std::optional<DeliveryKey> delivery{};  // nullopt: what is of no single delivery
  std::optional<RateHour> from{};         // nullopt: those alone that have a state
  std::optional<RateHour> until{};        // of `from`: before this one; nullopt: without an end
  std::int64_t limit = 1'000;
  bool tags = false;  // of the account: its tags, and nothing else
};
// For back ends: an hour that never comes.
inline constexpr RateHour kNoHour = INT64_MAX;
// For back ends: of what scopes the answer is; one may be there twice.
[[nodiscard]] std::array<RateScope, 3> scopes_of(const RateQuestion& question);

// A delivery that is held back at one receiver.
struct HeldReceiver {
  DeliveryKey delivery{};
  std::string site;
  friend auto operator<=>(const HeldReceiver&, const HeldReceiver&) = default;
};

// What every back end refuses: invalid_input.
[[nodiscard]] Result<void> check_sound(const RateState& state);

// The setting that keeps what limits an account has of its own (store/settings.h), packed.
[[nodiscard]] std::string rate_limits_setting(AccountKey account);

class RateReads {
 public:
  virtual ~RateReads() = default;
  // In the order given. `now`: the hour of RateFound::this_hour.
  [[nodiscard]] virtual Result<std::vector<RateFound>> rates(std::span<const RateSubject> subjects,
                                                             RateHour from, RateHour now) = 0;
  // Subjects of an account, or of one delivery, of which something was counted from then on, or
  // that have a state; by scope and name. What is of other deliveries is not looked at, nor are
  // counts where states alone are asked for.
  [[nodiscard]] virtual Result<std::vector<RateSubject>> rate_subjects(
      const RateQuestion& question) = 0;
  // Of deliveries that go out, those at level `paused` at a receiver; the newest first.
  [[nodiscard]] virtual Result<std::vector<HeldReceiver>> held_receivers(std::int64_t limit) = 0;
  // How many accounts and sender domains, deliveries, and deliveries at receivers are at `level`;
  // counting stops at kRatesCounted.
  [[nodiscard]] virtual Result<std::int64_t> rates_at(std::uint8_t level) = 0;
};
inline constexpr std::int64_t kRatesCounted = 10'000;

class RateWrites {
 public:
  virtual ~RateWrites() = default;
  // Each subject and hour once.
  [[nodiscard]] virtual Result<void> count_rates(std::span<const RateIncrement> increments) = 0;
  [[nodiscard]] virtual Result<void> put_rate_state(const RateState& state) = 0;
  // Its owner is told; `what`: the subject, in words.
  virtual void tell_of_rate(EventKind kind, AccountKey account, std::string_view what,
                            std::string_view because) = 0;
  // Counts of before this hour, and states of deliveries that have not changed since; at most
  // `rows` of each. False when none is left.
  [[nodiscard]] virtual Result<bool> drop_rates(RateHour before, std::int64_t rows) = 0;
};

}  // namespace todoku::store
