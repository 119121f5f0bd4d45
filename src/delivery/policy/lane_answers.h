// SPDX-License-Identifier: Apache-2.0
// What an answer, or that there was none, says of a lane's pace and of its site. The same for lanes
// at work (delivery/egress) and for those of the simulation (tests/sim/japan).
//
//   of the pace (rate, unsolicited), 421 or 4xx   before MAIL FROM        too_many
//                                                 later                   too_fast
//   the site has failed (verdict.h)                                       site_failed
//   any other words, but for those of the site's trouble or our name      good
//   a 421 that ends a connection which took mails                         nothing: it was enough
//   the sender of one mail is refused by a smarthost                      nothing
//   likewise, kSendersRefusedMost times in a row                          site_failed
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "delivery/policy/adaptive_pace.h"
#include "delivery/policy/backoff.h"
#include "delivery/policy/verdict.h"

namespace todoku::delivery::policy {

enum class LaneNews : std::uint8_t { nothing, good, too_fast, too_many, site_failed };

// A smarthost that refuses so many mails for their senders, and takes none between, may mean us;
// and a bulk of one such sender is not tried at it as fast as it goes.
inline constexpr std::uint32_t kSendersRefusedMost = 5;

struct LaneBefore {
  bool delivered = false;  // the connection has had a mail taken
  // Of the lane, in a row and with this one (Verdict::refuses_sender); 0 once a mail is taken.
  std::uint32_t senders_refused = 0;
};
[[nodiscard]] LaneNews lane_news(const Answer& answer, const Verdict& verdict,
                                 const LaneBefore& before);

// Tells the pace that a connection was not taken, while `others` were at work. One that is refused
// while others are served says how many there may be; else the site fails. True: it has failed, and
// the lane should rest.
[[nodiscard]] bool too_many_told(AdaptivePace& pace, const Backoff& backoff, std::uint32_t others,
                                 Microseconds latency, SteadyInstant now);

}  // namespace todoku::delivery::policy
