// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/pacer.h"

#include <algorithm>
#include <cmath>

namespace todoku::delivery::policy {
namespace {

// Rounded up: a slot too short would be a pace too high.
Microseconds slot_of(double rate) {
  constexpr double kLongest = 1e12;  // eleven days
  return Microseconds(static_cast<std::int64_t>(std::clamp(std::ceil(1e6 / rate), 1.0, kLongest)));
}

}  // namespace

Pacer::Pacer(double messages_per_second, Microseconds burst) : burst_(burst) {
  set_rate(messages_per_second);
}

void Pacer::set_rate(double messages_per_second) {
  rate_ = messages_per_second;
  if (rate_ <= 0) return;
  slot_ = slot_of(rate_);
  if (last_is_kept_ && last_slot_ > slot_) {
    next_slot_ -= last_slot_ - slot_;
    last_slot_ = slot_;
  }
  // Only whole slots beyond the first: never more than the pace within burst plus one message.
  tolerance_ = burst_ > slot_ ? burst_ - slot_ : Microseconds(0);
}

std::uint32_t Pacer::take(std::uint32_t wanted, SteadyInstant now) {
  if (rate_ <= 0) return wanted;
  // Time that passed unused is not saved up: a lane idle for an hour does not burst.
  next_slot_ = std::max(next_slot_, now);
  std::uint32_t granted = 0;
  while (granted < wanted && next_slot_ <= now + tolerance_) {
    next_slot_ += slot_;
    ++granted;
  }
  if (granted > 0) {
    last_slot_ = last_take_ == now ? std::min(last_slot_, slot_) : slot_;
    last_take_ = now;
    last_is_kept_ = true;
  }
  return granted;
}

void Pacer::give_back(std::uint32_t count, SteadyInstant taken) {
  if (rate_ <= 0 || taken != last_take_) return;
  last_is_kept_ = false;
  next_slot_ -= last_slot_ * count;
}

void Pacer::hold_until(SteadyInstant until) {
  if (rate_ <= 0 || next_slot_ >= until + tolerance_) return;
  next_slot_ = until + tolerance_;
  // What was given before is over: it neither comes back nor becomes shorter.
  last_is_kept_ = false;
  last_take_ = SteadyInstant::min();
}

SteadyInstant Pacer::next_permit_at() const {
  return rate_ <= 0 ? SteadyInstant{} : next_slot_ - tolerance_;
}

}  // namespace todoku::delivery::policy
