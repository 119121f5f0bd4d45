// SPDX-License-Identifier: Apache-2.0
// How a delivery that goes out is steered: paused, resumed, stopped.
//
//   goes <──> paused       nothing of it is leased; what is in hand is given back
//     └──────┴──> stopped ──> ended
//
// A stop is one row: from its commit on the delivery is in status sent, and all that was open
// counts as cancelled, and is told so, by one event. What is in somebody's hand may have gone out
// all the same: its outcome is recorded, and counts instead; where nobody is left to tell it,
// because the process died, those that it had said to be begun (work.h, Begun) are `unknown`. The
// recipients themselves are written afterwards, in pieces (stopped_work); when none is left it is
// ended, and its counts are final: what is told after that changes none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/attempt.h"
#include "mail/states.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::store {

struct Delivery;

// Stored as these numbers: never renumber.
enum class Course : std::uint8_t { goes = 0, paused = 1, stopped = 2, ended = 3 };

// In nobody's hand.
struct StoppedRecipient {
  RecipientKey key;
  // Somebody who had it in hand and had said to begin it died, and it has not been put off since;
  // or processes died with it alone. Not of a delivery that is sent at most once, of which it is
  // known who was on the way (work.h).
  bool may_have_arrived = false;
};

// What of a stopped delivery is still to be written.
struct StoppedWork {
  std::vector<StoppedRecipient> open;  // to be recorded by stopped_record() (settling.h)
  std::vector<DeliveryKey> over;       // nothing is left of these: end_stopped()
  // Where the next question goes on, with whatever stands behind; nullopt: at the beginning.
  std::optional<DeliveryKey> next;
};
// Of stopped deliveries so many are looked at by one question.
inline constexpr std::int64_t kStoppedLookedAt = 20;

// Whether the delivery goes otherwise than asked for. conflict: it cannot be steered so: it does
// not go out, or is a transaction, which can only be stopped.
[[nodiscard]] Result<bool> may_steer(const Delivery& delivery, Course course);
[[nodiscard]] EventKind event_kind(Course course);

// A recipient's state while its delivery is stopped and it is not written yet.
[[nodiscard]] RecipientState state_in(Course course, RecipientState stored, bool in_hand);

class CourseReads {
 public:
  virtual ~CourseReads() = default;
  // Paused while they go out, or stopped and not ended: nothing of these may be begun. The newest
  // first.
  [[nodiscard]] virtual Result<std::vector<DeliveryKey>> held_deliveries(std::int64_t limit) = 0;
  // Of stopped deliveries with greater keys than `after`, about `recipients` of them. A delivery of
  // which much is left is not looked at again before all others. Of a batch nothing is left for now
  // while who lost it may have something to tell (nodes.h, kLateWords); its delivery is not over.
  [[nodiscard]] virtual Result<StoppedWork> stopped_work(DeliveryKey after,
                                                         std::int64_t recipients) = 0;
};

class CourseWrites {
 public:
  virtual ~CourseWrites() = default;
  // For who changes several, before anything else of them: nobody else changes them from now on to
  // the commit. In any order; those that are not there are left out.
  [[nodiscard]] virtual Result<void> lock_deliveries(std::span<const DeliveryKey> keys) = 0;
  // False: it goes so already. conflict: may_steer().
  [[nodiscard]] virtual Result<bool> steer_delivery(DeliveryKey key, Course course) = 0;
  // Of one that stopped_work() has told to be over; else nothing happens.
  [[nodiscard]] virtual Result<void> end_stopped(DeliveryKey key) = 0;
};

}  // namespace todoku::store
