// SPDX-License-Identifier: Apache-2.0
// How many messages may go now: the generic cell rate algorithm for one lane.
//
// Intuition: at `rate` messages a second each message owns a slot of 1/rate. `next_slot_` is the
// end of the last slot given away. A message may go when its slot begins no later than now plus the
// tolerance; the tolerance is what lets one block of permits be drawn at once.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace todoku::delivery::policy {

class Pacer {
 public:
  // messages_per_second <= 0 means without limit. `burst` is how much of the pace may be drawn at
  // once, at least one message.
  explicit Pacer(double messages_per_second, Microseconds burst = std::chrono::milliseconds(10));

  // Another pace from now on. Slots given away stay so, but for the last, which becomes no longer
  // than those of the new pace. Whatever paces follow one another, none of them above R, the
  // permits of any time T are at most R * (T + burst) + 1.
  void set_rate(double messages_per_second);
  // Takes up to `wanted` permits and returns how many were granted.
  std::uint32_t take(std::uint32_t wanted, SteadyInstant now);
  // Gives back permits that were not used, e.g. of messages that found no connection. `taken` is
  // when take() gave them. If others were given since, these are lost: the later ones had to wait
  // for them, and were it undone they and the next would come too close together.
  void give_back(std::uint32_t count, SteadyInstant taken);
  // None is given before `until`.
  void hold_until(SteadyInstant until);
  // When the next permit can be had; `now` or earlier if at once.
  [[nodiscard]] SteadyInstant next_permit_at() const;
  [[nodiscard]] double messages_per_second() const { return rate_; }

 private:
  double rate_ = 0;
  Microseconds burst_;
  Microseconds slot_{};
  Microseconds tolerance_{};
  Microseconds last_slot_{};  // how long those of the last take are at least
  SteadyInstant last_take_{};
  bool last_is_kept_ = false;  // none of that was given back
  SteadyInstant next_slot_{};
};

}  // namespace todoku::delivery::policy
