// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/adaptive_pace.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace todoku::delivery::policy {
namespace {

// More than any receiver takes, and less than where the arithmetic would lose its sense.
constexpr double kPaceMost = 1e6;
// How much the newest answer counts in the smoothed latency.
constexpr double kNewest = 0.1;
// Answers before their latency says anything.
constexpr std::uint32_t kLatenciesLeast = 16;
// Answers of a round before their number tells the pace that was taken.
constexpr std::uint32_t kShownLeast = 10;
// How much less is aimed at where a limit turned out lower than the one before (RFC 9438 section
// 4.7, fast convergence).
constexpr double kLowerStill = 0.85;
// More connections than the pace needs by its latency, for greetings and quits.
constexpr double kConnectionsSpare = 4;

struct Named {
  PaceReason reason;
  std::string_view name;
};
constexpr std::array kReasons = {
    Named{PaceReason::fixed, "fixed"},
    Named{PaceReason::starting, "starting"},
    Named{PaceReason::growing, "growing"},
    Named{PaceReason::at_ceiling, "at_ceiling"},
    Named{PaceReason::too_fast, "too_fast"},
    Named{PaceReason::too_many, "too_many"},
    Named{PaceReason::answers_late, "answers_late"},
    Named{PaceReason::near_limit, "near_limit"},
    Named{PaceReason::slowed, "slowed"},
    Named{PaceReason::suspended, "suspended"},
    Named{PaceReason::probing, "probing"},
    Named{PaceReason::warming_up, "warming_up"},
    Named{PaceReason::not_begun, "not_begun"},
};

double in_seconds(Microseconds time) {
  return std::chrono::duration<double>(time).count();
}

// The earlier of two; an instant that was never counts as long ago.
bool before(SteadyInstant one, SteadyInstant other) {
  return other != SteadyInstant::min() && one < other;
}

}  // namespace

std::string_view to_string(PaceReason reason) {
  return kReasons.at(static_cast<std::size_t>(reason)).name;
}

std::optional<PaceReason> pace_reason(std::int64_t number) {
  if (number < 0 || std::cmp_greater_equal(number, kReasons.size())) return std::nullopt;
  return static_cast<PaceReason>(number);
}

AdaptivePace::AdaptivePace(PaceCeilings ceilings, PaceOptions options)
    : ceilings_(ceilings), options_(options), pacer_(ceilings.messages_per_second) {
  connections_ = ceilings_.connections_max;
  reason_ = PaceReason::fixed;
  if (!options_.adaptive) return;
  connections_ = std::min(options_.connections_start, ceilings_.connections_max);
  reason_ = PaceReason::starting;
  set_pace(options_.pace_start, {});
  const double rule = ceilings_.messages_per_second;
  if (rule > 0 && pace_ >= rule) reason_ = PaceReason::at_ceiling;
}

// ---- what is said of it ------------------------------------------------------------------------

bool AdaptivePace::answered(const PaceAnswer& answer, SteadyInstant now) {
  if (answer.count == 0) return false;
  heard_at_ = now;
  if (answer.reply == PaceReply::good) {
    throttles_in_row_ = 0;
    if (!suspended(now)) probing_ = false;
    if (!options_.adaptive) return false;
    round_good_ += answer.count;
    note_latency(answer);
    if (!round_began_) round_began_ = now;
    if (now - *round_began_ >= round_length()) end_round(now);
    return false;
  }
  if (!options_.adaptive) return true;
  // It was under way when the pace shrank: nothing new.
  const bool old_news = before(now - answer.latency, shrunk_at_);
  if (answer.reply == PaceReply::too_many) {
    too_many(answer, now);
    return false;
  }
  if (old_news) return false;
  shrink(limit_ > 0 ? options_.shrink : options_.shrink_first, PaceReason::too_fast, now);
  return ++throttles_in_row_ >= options_.throttles_to_rest;
}

void AdaptivePace::suspend(SteadyInstant until) {
  suspended_until_ = std::max(suspended_until_, until);
  probing_ = true;
}

void AdaptivePace::slow_to(double messages_per_second, SteadyInstant until, SteadyInstant now) {
  const bool holds = now < slowed_until_;
  slowed_to_ = holds ? std::min(slowed_to_, messages_per_second) : messages_per_second;
  slowed_until_ = holds ? std::max(slowed_until_, until) : until;
  set_pace(options_.adaptive ? pace_ : ceilings_.messages_per_second, now);
}

void AdaptivePace::nothing_heard(SteadyInstant now) {
  constexpr Microseconds kLong = std::chrono::seconds(5);
  if (!options_.adaptive || connection_wait_ > Microseconds(0) || now - heard_at_ < kLong) return;
  connections_ = std::min(connections_ + 1, static_cast<double>(ceilings_.connections_max));
}

void AdaptivePace::probe() {
  probing_ = true;
}

// ---- permits -----------------------------------------------------------------------------------

std::uint32_t AdaptivePace::take(std::uint32_t wanted, SteadyInstant now) {
  if (suspended(now) || wanted == 0) return 0;
  if (slowed_to_ > 0 && now >= slowed_until_) {
    slowed_to_ = 0;
    set_pace(options_.adaptive ? pace_ : ceilings_.messages_per_second, now);
  }
  return pacer_.take(probing_ ? 1 : wanted, now);
}

SteadyInstant AdaptivePace::next_permit_at() const {
  const SteadyInstant paced = pacer_.next_permit_at();
  // Then it goes on faster.
  const bool sooner = slowed_to_ > 0 && slowed_until_ < paced;
  return std::max(suspended_until_, sooner ? slowed_until_ : paced);
}

std::uint32_t AdaptivePace::connections_allowed(SteadyInstant now) const {
  if (suspended(now)) return 0;
  if (probing_) return 1;
  double allowed = connections_;
  // Those that would only wait for the pace hold places at the receiver for nothing.
  if (limit_ > 0 && latency_ > 0) {
    allowed = std::min(allowed, 2 + kConnectionsSpare * pace_ * latency_ / 1e6);
  }
  return std::min(ceilings_.connections_max, static_cast<std::uint32_t>(std::max(1.0, allowed)));
}

std::uint32_t AdaptivePace::connections_for_urgent(SteadyInstant now) const {
  const bool all = !suspended(now) && !probing_ && connection_wait_ <= Microseconds(0);
  return all ? ceilings_.connections_max : connections_allowed(now);
}

double AdaptivePace::messages_per_second(SteadyInstant now) const {
  const double most = ceiling(now);
  if (!options_.adaptive) return most;
  return most > 0 ? std::min(most, pace_) : pace_;
}

// ---- growing and shrinking ---------------------------------------------------------------------

double AdaptivePace::ceiling(SteadyInstant now) const {
  const double rule = ceilings_.messages_per_second;
  if (!slowed(now)) return rule;
  return rule > 0 ? std::min(rule, slowed_to_) : slowed_to_;
}

void AdaptivePace::set_pace(double pace, SteadyInstant now) {
  const double most = ceiling(now);
  if (!options_.adaptive) {
    pacer_.set_rate(most);
    return;
  }
  pace_ = std::clamp(pace, options_.pace_least, kPaceMost);
  const double rule = ceilings_.messages_per_second;
  if (rule > 0) pace_ = std::min(pace_, rule);
  pacer_.set_rate(most > 0 ? std::min(most, pace_) : pace_);
}

void AdaptivePace::set_reason(PaceReason reason, SteadyInstant now) {
  if (reason_ == reason) return;
  reason_ = reason;
  reason_since_ = now;
}

Microseconds AdaptivePace::round_length() const {
  return std::max(options_.round_least, Microseconds(static_cast<std::int64_t>(2 * latency_)));
}

void AdaptivePace::note_latency(const PaceAnswer& answer) {
  if (answer.latency <= Microseconds(0)) return;
  const auto told = static_cast<double>(answer.latency.count());
  const double weight = std::min(0.5, kNewest * answer.count);
  latency_ = latency_ <= 0 ? told : weight * told + (1 - weight) * latency_;
  if (latency_floor_ <= 0 || told < latency_floor_) {
    latency_floor_ = told;
    latencies_ = 0;
  }
  latencies_ = std::min(latencies_ + answer.count, 2 * kLatenciesLeast);
}

bool AdaptivePace::answers_come_late(SteadyInstant now) const {
  if (latencies_ < kLatenciesLeast) return false;
  const double late = std::max(options_.latency_times * latency_floor_,
                               latency_floor_ + static_cast<double>(options_.latency_more.count()));
  return latency_ > late && !before(now - round_length(), shrunk_at_);
}

void AdaptivePace::end_round(SteadyInstant now) {
  const Microseconds took = now - *round_began_;
  const double shown = round_good_ / in_seconds(took);
  round_began_ = now;
  round_good_ = 0;
  grow_connections(now);
  if (answers_come_late(now)) {
    shrink(options_.shrink_slow, PaceReason::answers_late, now);
    // If that does not help it is how the receiver is now.
    latency_floor_ = latency_ / 2;
    latencies_ = 0;
    return;
  }
  if (limit_ > 0) return return_to_limit(shown, took, now);
  const double grown = std::min(options_.pace_growth * pace_, 2 * shown + 1 / in_seconds(took));
  if (grown > pace_) {
    set_pace(grown, now);
    if (reason_ != PaceReason::too_many) set_reason(PaceReason::growing, now);
  }
  const double rule = ceilings_.messages_per_second;
  if (rule > 0 && pace_ >= rule) set_reason(PaceReason::at_ceiling, now);
}

// limit * (1 - (1 - dip) * (1 - x)^3), where x is 0 when it shrank and 1 when it is back.
void AdaptivePace::return_to_limit(double shown, Microseconds took, SteadyInstant now) {
  // Time in which less was sent than might have been teaches nothing.
  if (2 * shown + 1 / in_seconds(took) < pace_) {
    epoch_ += took;
    return;
  }
  const double back = std::clamp(options_.messages_to_return / limit_,
                                 static_cast<double>(options_.return_least.count()),
                                 static_cast<double>(options_.return_most.count()));
  const double x = in_seconds(now - epoch_) / back;
  const double aimed = limit_ * (1 - (1 - dip_) * std::pow(1 - x, 3));
  if (aimed > pace_) set_pace(std::min({aimed, 2 * pace_, 2 * shown + 1 / in_seconds(took)}), now);
  constexpr double kNear = 0.8;
  const double rule = ceilings_.messages_per_second;
  if (rule > 0 && pace_ >= rule) {
    set_reason(PaceReason::at_ceiling, now);
  } else if (x > kNear) {
    set_reason(PaceReason::near_limit, now);
  }
}

void AdaptivePace::grow_connections(SteadyInstant now) {
  if (connections_ >= ceilings_.connections_max) return;
  if (connection_wait_ == Microseconds(0)) {
    connections_ *= options_.connections_growth;
  } else {
    if (before(now - connection_wait_, fewer_connections_at_)) return;
    // Each one tried may be one refused: not while those that there are have room.
    constexpr double kBusy = 0.6;
    if (latency_ > 0 && pace_ * latency_ / 1e6 < kBusy * connections_) return;
    // The one before was taken.
    if (tries_connection_) connection_wait_ = options_.connection_step;
    tries_connection_ = true;
    fewer_connections_at_ = now;
    connections_ = std::floor(connections_) + 1;
  }
  connections_ = std::min<double>(connections_, ceilings_.connections_max);
}

void AdaptivePace::too_many(const PaceAnswer& answer, SteadyInstant now) {
  // What was asked for before is the same news, but may tell of fewer.
  const double least =
      answer.connections > 0 ? answer.connections : std::floor(connections_ * options_.shrink);
  if (before(now - answer.latency, fewer_connections_at_)) {
    if (answer.connections > 0) connections_ = std::min(connections_, least);
    return;
  }
  connection_wait_ =
      connection_wait_ == Microseconds(0)
          ? Microseconds(options_.connection_step)
          : std::min<Microseconds>(2 * connection_wait_, options_.connection_step_most);
  tries_connection_ = false;
  fewer_connections_at_ = now;
  connections_ = std::max(1.0, std::min(connections_, least));
  set_reason(PaceReason::too_many, now);
}

void AdaptivePace::shrink(double to, PaceReason reason, SteadyInstant now) {
  // With no good answer since it was throttled before, the receiver counts over a longer time: that
  // says nothing about the pace it bears.
  const bool again = limit_ > 0 && throttles_in_row_ > 0;
  double base = pace_;
  if (!again) {
    // What was taken in the last round tells more, where the pace was not used up.
    if (round_began_ && round_good_ >= kShownLeast) {
      base = std::clamp(round_good_ / in_seconds(now - *round_began_), pace_ / 4, pace_);
    }
    if (limit_ > 0 && base < limit_) base *= kLowerStill;
    limit_ = base = std::max(base, options_.pace_least);
  }
  set_pace(base * to, now);
  begin_return(now);
  shrunk_at_ = now;
  round_began_.reset();
  round_good_ = 0;
  set_reason(reason, now);
}

void AdaptivePace::begin_return(SteadyInstant now) {
  constexpr double kMost = 0.95;  // or the curve would be none
  dip_ = std::min(pace_ / limit_, kMost);
  epoch_ = now;
}

// ---- what is known of it -----------------------------------------------------------------------

AdaptivePace::Why AdaptivePace::why(SteadyInstant now) const {
  Why why{.reason = reason_,
          .since = reason_since_,
          .limit = limit_,
          .latency = Microseconds(static_cast<std::int64_t>(latency_)),
          .latency_floor = Microseconds(static_cast<std::int64_t>(latency_floor_))};
  if (suspended(now)) {
    why.reason = PaceReason::suspended;
    why.until = suspended_until_;
  } else if (probing_) {
    why.reason = PaceReason::probing;
  } else if (slowed(now)) {
    why.reason = PaceReason::slowed;
    why.until = slowed_until_;
  }
  return why;
}

RememberedPace AdaptivePace::remembered(SteadyInstant now) const {
  return {.pace = options_.adaptive ? pace_ : 0,
          .connections = connections_,
          .limit = limit_,
          .reason = reason_,
          .latency_floor = Microseconds(static_cast<std::int64_t>(latency_floor_)),
          .suspended_for = suspended(now) ? suspended_until_ - now : Microseconds(0),
          .slowed_to = slowed(now) ? slowed_to_ : 0,
          .slowed_for = slowed(now) ? slowed_until_ - now : Microseconds(0)};
}

void AdaptivePace::restore(const RememberedPace& remembered, Microseconds age, SteadyInstant now) {
  age = std::max(age, Microseconds(0));
  if (remembered.suspended_for > age) suspend(now + (remembered.suspended_for - age));
  if (remembered.slowed_to > 0 && remembered.slowed_for > age) {
    slow_to(remembered.slowed_to, now + (remembered.slowed_for - age), now);
  }
  if (!options_.adaptive || remembered.pace <= 0 || age >= options_.forgotten_after) return;
  const double counts =
      std::exp2(-in_seconds(age) / static_cast<double>(options_.half_life.count()));
  const double start = options_.pace_start;
  if (remembered.limit > 0) limit_ = std::min(remembered.limit, kPaceMost);
  set_pace(start * std::pow(std::max(remembered.pace, options_.pace_least) / start, counts), now);
  if (limit_ > 0) begin_return(now);
  const double few = std::min(options_.connections_start, ceilings_.connections_max);
  connections_ = std::clamp(few + (remembered.connections - few) * counts, 1.0,
                            static_cast<double>(ceilings_.connections_max));
  latency_floor_ = static_cast<double>(std::max(remembered.latency_floor, Microseconds(0)).count());
  reason_ = remembered.reason;
  reason_since_ = now;
}

}  // namespace todoku::delivery::policy
