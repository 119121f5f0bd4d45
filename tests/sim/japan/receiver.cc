// SPDX-License-Identifier: Apache-2.0
#include "sim/japan/receiver.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace todoku::sim::japan {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kLoadSeconds = 10;     // over which load is felt
constexpr double kRefusalSeconds = 60;  // over which refusals are remembered

double seconds_between(SteadyInstant from, SteadyInstant until) {
  return Seconds(until - from).count();
}

Microseconds micros(double seconds) {
  return Microseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e6)));
}

}  // namespace

std::string_view name_of(Said said) {
  constexpr std::array<std::string_view, kSaidCount> kNames = {
      "taken",        "unknown",   "too_fast", "too_busy", "too_many_connections",
      "session_full", "suspended", "blocked"};
  return kNames[static_cast<std::size_t>(said)];
}

ReceiverAtWork::ReceiverAtWork(const Receiver& receiver, unsigned sources)
    : receiver_(receiver), callers_(sources) {
  for (Caller& caller : callers_) caller.tokens = receiver.day.front().burst;
}

const Limits& ReceiverAtWork::limits(SteadyInstant now) {
  while (stretch_ + 1 < receiver_.day.size() && receiver_.day[stretch_ + 1].from <= now) {
    ++stretch_;
  }
  return receiver_.day[stretch_];
}

void ReceiverAtWork::fill(Caller& caller, SteadyInstant now) {
  const Limits& limits = this->limits(now);
  const double gained = limits.messages_per_second * seconds_between(caller.filled_at, now);
  caller.tokens = std::min(limits.burst, caller.tokens + gained);
  caller.filled_at = now;
}

double ReceiverAtWork::load(SteadyInstant now) const {
  return recent_ * std::exp(-seconds_between(recent_at_, now) / kLoadSeconds) / kLoadSeconds;
}

Said ReceiverAtWork::refuse(Caller& caller, Said said, SteadyInstant now) {
  const double faded = std::exp(-seconds_between(caller.refused_at, now) / kRefusalSeconds);
  caller.refusals = caller.refusals * faded + 1;
  caller.refused_at = now;
  if (caller.refusals > receiver_.penalties.refusals) {
    caller.suspended_until = now + receiver_.penalties.suspension;
    caller.refusals = 0;
    caller.knocks = 0;
  }
  return said;
}

Said ReceiverAtWork::shut(Caller& caller, SteadyInstant now) {
  if (now < caller.blocked_until) return Said::blocked;
  if (now >= caller.suspended_until) return Said::taken;
  if (++caller.knocks > receiver_.penalties.knocks) {
    caller.blocked_until = now + receiver_.penalties.block * (1U << std::min(caller.blocks, 2U));
    ++caller.blocks;
    return Said::blocked;
  }
  return Said::suspended;
}

Said ReceiverAtWork::connect(unsigned source, SteadyInstant now) {
  Caller& caller = callers_[source];
  if (const Said said = shut(caller, now); said != Said::taken) return said;
  if (caller.open >= limits(now).connections) {
    return refuse(caller, Said::too_many_connections, now);
  }
  ++caller.open;
  return Said::taken;
}

void ReceiverAtWork::closed(unsigned source) {
  --callers_[source].open;
}

Said ReceiverAtWork::message(unsigned source, std::uint32_t nth, SteadyInstant now,
                             Random& random) {
  Caller& caller = callers_[source];
  const Limits& limits = this->limits(now);
  if (const Said said = shut(caller, now); said != Said::taken) return said;
  if (nth > limits.messages_per_connection) return refuse(caller, Said::session_full, now);
  fill(caller, now);
  if (caller.tokens < 1) return refuse(caller, Said::too_fast, now);
  const double present = load(now);
  if (present > limits.capacity && random.unit() * present > limits.capacity) {
    return refuse(caller, Said::too_busy, now);
  }
  caller.tokens -= 1;
  recent_ = present * kLoadSeconds + 1;
  recent_at_ = now;
  return random.unit() < receiver_.unknown ? Said::unknown : Said::taken;
}

Microseconds ReceiverAtWork::answer_time(SteadyInstant now) {
  const double used = load(now) / limits(now).capacity;
  const double slower = 1 + 4 * std::pow(std::min(used, 1.5), 6);
  return receiver_.round_trip * 2 + micros(Seconds(receiver_.service).count() * slower);
}

SteadyInstant ReceiverAtWork::welcome_at(unsigned source, std::uint32_t held, SteadyInstant now) {
  Caller& caller = callers_[source];
  if (const SteadyInstant shut = std::max(caller.suspended_until, caller.blocked_until);
      shut > now) {
    return shut;
  }
  const Limits& limits = this->limits(now);
  fill(caller, now);
  // A hair more than a token, for the rounding of instants.
  const double missing = 1.001 + held - caller.tokens;
  if (missing > 0) return now + micros(missing / limits.messages_per_second);
  // All of our sources come to the same decision at the same time: a little below capacity.
  const double most = limits.capacity * 0.97;
  const double present = load(now);
  if (present > most) return now + micros(kLoadSeconds * std::log(present / most));
  return now;
}

}  // namespace todoku::sim::japan
