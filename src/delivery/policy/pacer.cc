// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/pacer.h"

#include <algorithm>

namespace todoku::delivery::policy {

Pacer::Pacer(double messages_per_second, Microseconds burst) : rate_(messages_per_second) {
  if (rate_ <= 0) return;
  slot_ = Microseconds(std::max<std::int64_t>(1, static_cast<std::int64_t>(1e6 / rate_)));
  // Only whole slots beyond the first: never more than the pace within burst plus one message.
  tolerance_ = burst > slot_ ? burst - slot_ : Microseconds(0);
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
  return granted;
}

void Pacer::give_back(std::uint32_t count) {
  if (rate_ > 0) next_slot_ -= slot_ * count;
}

SteadyInstant Pacer::next_permit_at() const {
  return rate_ <= 0 ? SteadyInstant{} : next_slot_ - tolerance_;
}

}  // namespace todoku::delivery::policy
