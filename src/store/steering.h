// SPDX-License-Identifier: Apache-2.0
// How a bulk delivery is to go, by its sender's word: not faster than so many mails a minute or an
// hour (mail/pace.h), and nothing of it begun in hours of the day (mail/quiet_hours.h). It can be
// said from the draft on until the delivery is over, and is one row.
//
// The pace holds because whoever has a batch in hand takes from the row what it begins of it. Quiet
// hours hold because the row says from when to when the delivery is open, nothing is leased at
// another time, and a lease carries the end of it: where nobody has told yet when the next quiet
// hours are, nothing is leased either. Another word of the sender's makes another revision: what is
// in hand by an older one is given back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/pace.h"
#include "mail/quiet_hours.h"
#include "store/keys.h"

namespace todoku::store {

struct AskedBy;
struct Delivery;
class WriteTransaction;

struct SteeringRules {
  std::optional<Pace> pace;
  std::optional<QuietHours> quiet;
  friend bool operator==(const SteeringRules&, const SteeringRules&) = default;
};

struct Steering {
  SteeringRules rules;
  std::int64_t revision = 0;       // 0: nobody has said anything
  Microseconds pace_used_to{};     // mail/pace.h
  std::optional<OpenWindow> open;  // nullopt: always
};

// Of which delivery going out an older revision is void.
struct SteeringRevision {
  DeliveryKey delivery{};
  std::int64_t revision = 0;
};

// What is said anew; nullopt: nothing, it stays. Of what is there: nullopt: it is taken away.
struct SteeringChange {
  std::optional<std::optional<Pace>> pace = {};
  std::optional<std::optional<QuietHours>> quiet = {};
  [[nodiscard]] bool says_nothing() const { return !pace && !quiet; }
};

class SteeringReads {
 public:
  virtual ~SteeringReads() = default;
  // Of a delivery of which nothing was said: empty.
  [[nodiscard]] virtual Result<Steering> steering(DeliveryKey key) = 0;
  // Of bulk that is going out; the newest first.
  [[nodiscard]] virtual Result<std::vector<SteeringRevision>> steering_revisions(
      std::int64_t limit) = 0;
};

class SteeringWrites {
 public:
  virtual ~SteeringWrites() = default;
  // Instead of what was said; makes a new revision, and tells the topic of what is held. For
  // change_steering(), which has locked the delivery. unsupported: not_known_to() (nodes.h), of
  // what is not to be taken away.
  [[nodiscard]] virtual Result<void> put_steering(DeliveryKey key, const SteeringRules& rules) = 0;
  // How many of `want` may be begun now; without a pace: all.
  [[nodiscard]] virtual Result<PaceTaken> take_pace(DeliveryKey key, std::int64_t want) = 0;
  // Of a delivery whose quiet hours have begun: when it is open next. Else nothing happens.
  [[nodiscard]] virtual Result<void> move_window(DeliveryKey key) = 0;
};

// Whether anything can be said of it. conflict: it is no bulk delivery, or is over.
[[nodiscard]] Result<void> may_be_told(const Delivery& delivery);

// Voids an approval (approvals.h). False: it goes so already. not_found; conflict: may_be_told();
// put_steering().
[[nodiscard]] Result<bool> change_steering(WriteTransaction& writer, DeliveryKey key,
                                           const SteeringChange& change, const AskedBy& by);

// What a pace leaves over when the delivery's life ends, if it is kept to as it is.
struct PaceTooSlow {
  std::int64_t late = 0;  // mails that are not begun by then, about
  Instant ends{};
  friend bool operator==(const PaceTooSlow&, const PaceTooSlow&) = default;
};
// Of a bulk that is not over. One that has not started is taken to start when it is reserved for,
// or now, and to live as long as `life`.
[[nodiscard]] std::optional<PaceTooSlow> pace_too_slow(const Delivery& delivery,
                                                       const SteeringRules& rules,
                                                       Milliseconds life, Instant now);

// Why nothing of a delivery that is sending may be begun now, and when it goes on.
enum class SteeredWait : std::uint8_t { quiet_hours, pace };
struct SteeredPause {
  SteeredWait why = SteeredWait::quiet_hours;
  Instant until{};
  friend bool operator==(const SteeredPause&, const SteeredPause&) = default;
};
[[nodiscard]] std::optional<SteeredPause> steered_pause(const Steering& steering, Instant now);

}  // namespace todoku::store
