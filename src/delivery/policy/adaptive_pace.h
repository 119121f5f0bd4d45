// SPDX-License-Identifier: Apache-2.0
// How fast one lane goes: it begins gently, grows while the receiver's answers are good, shrinks
// when they say "too much" or come ever later, and remembers what it has learnt. The limits of the
// site's rule are ceilings that no answer lifts.
//
//            good answers: grows every round            the pace it was throttled at: `limit`
//   starting ------------------------------> growing         ____........----'''/
//                                              | too_fast   /   returning      / probing above
//                                              +---------> x shrunk ----------'
//
// Before it was ever throttled it grows by a share every round (as RFC 5681 section 3.1, slow
// start, yet by less than doubling: what is beyond the limit is refused), afterwards it goes
// back to just below where it was throttled, stays near it for long, and then looks farther (the
// shape of RFC 9438 section 4.1, CUBIC). A pace that is not used does not grow: it is never more
// than about twice what the receiver was seen to take.
//
// Pure: no clock, no lock, no memory beyond itself. Whoever calls says what time it is, and `now`
// never goes back.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "delivery/policy/pacer.h"

namespace todoku::delivery::policy {

// What the rule of the site allows.
struct PaceCeilings {
  std::uint32_t connections_max = 10;
  double messages_per_second = 0;  // <= 0: no limit
};

struct PaceOptions {
  bool adaptive = true;  // false: the ceilings are the pace, always
  std::uint32_t connections_start = 1;
  double pace_start = 5;       // messages a second
  double pace_least = 0.2;     // below it the lane rests instead
  double shrink = 0.7;         // what is left of the pace after "too much"
  double shrink_first = 0.35;  // the first time: growing fast, it went beyond
  double shrink_slow = 0.8;    // and after answers that come ever later
  // In a row, with no good answer between: the lane should rest.
  unsigned throttles_to_rest = 3;
  Microseconds round_least = std::chrono::milliseconds(20);
  // How long it takes back to where it was throttled: as long as so many messages take.
  double messages_to_return = 2'500;
  std::chrono::seconds return_least{10};
  std::chrono::seconds return_most{250};
  double connections_growth = 1.15;  // each round, while none was too many
  double pace_growth = 1.4;          // likewise
  // After connections were too many one more is tried when this has passed; twice as long each time
  // that it is not taken.
  std::chrono::seconds connection_step{60};
  std::chrono::seconds connection_step_most{900};
  // Answers come clearly later than the fastest seen: this many times, and this much.
  double latency_times = 3;
  Microseconds latency_more = std::chrono::seconds(1);
  // What is remembered counts half after this time.
  std::chrono::seconds half_life = std::chrono::hours(6);
  std::chrono::seconds forgotten_after = std::chrono::hours(24 * 7);
};

// Why the pace is what it is now. The numbers are stored.
enum class PaceReason : std::uint8_t {
  fixed = 0,         // by the rule, which adapts nothing
  starting = 1,      // nothing is known of this receiver yet
  growing = 2,       // its answers are good
  at_ceiling = 3,    // the rule allows no more
  too_fast = 4,      // it said "too much"; on the way back to near that pace
  too_many = 5,      // it took no more connections
  answers_late = 6,  // its answers came ever later
  near_limit = 7,    // at the pace it was throttled at, or looking whether it takes more
  slowed = 8,        // an automation slows it down
  suspended = 9,     // an automation stopped it
  probing = 10,      // after a rest: one connection, one message, until it answers well
  warming_up = 11,   // what the source may send today, while it is warming up, has gone
  not_begun = 12,    // the plan by which the source is to warm up begins later
};
[[nodiscard]] std::string_view to_string(PaceReason reason);
// nullopt: no such number.
[[nodiscard]] std::optional<PaceReason> pace_reason(std::int64_t number);

// What answers to messages said about the pace.
enum class PaceReply : std::uint8_t {
  good,      // taken, or refused for the message's or the recipient's own sake
  too_fast,  // "too much at a time"
  too_many,  // one more connection was not taken, while others were at work
};

struct PaceAnswer {
  PaceReply reply = PaceReply::good;
  std::uint32_t count = 1;
  // Of too_many: those that were at work besides; 0: not known.
  std::uint32_t connections = 0;
  // From the message's beginning to its answer, the mean of these; 0: not known, or told by the
  // size of the message more than by the receiver.
  Microseconds latency{};
};

// What is remembered across restarts and handed on with a source.
struct RememberedPace {
  double pace = 0;  // messages a second; 0: nothing is remembered
  double connections = 0;
  double limit = 0;  // the pace it was throttled at; 0: never
  PaceReason reason = PaceReason::starting;
  Microseconds latency_floor{};
  Microseconds suspended_for{};  // from when it was remembered
  double slowed_to = 0;          // messages a second; 0: nothing slows it
  Microseconds slowed_for{};     // likewise
  friend bool operator==(const RememberedPace&, const RememberedPace&) = default;
};

class AdaptivePace {
 public:
  explicit AdaptivePace(PaceCeilings ceilings, PaceOptions options = {});

  // Says what came of messages. True: the lane should rest, as after a failure of the site.
  bool answered(const PaceAnswer& answer, SteadyInstant now);
  // Nothing goes before `until`; then it probes. A suspension is never shortened.
  void suspend(SteadyInstant until);
  // At most this pace before `until`, from now on; > 0.
  void slow_to(double messages_per_second, SteadyInstant until, SteadyInstant now);
  // Connections are at work and mail waits: where none has had an answer for long, one more may be.
  void nothing_heard(SteadyInstant now);
  // It has rested: one connection and one message at a time until a good answer.
  void probe();

  // Permits to begin messages, as many as the pace has for now and at most `wanted`.
  [[nodiscard]] std::uint32_t take(std::uint32_t wanted, SteadyInstant now);
  // Of messages that were not begun after all; `taken` is when take() gave them.
  void give_back(std::uint32_t count, SteadyInstant taken) { pacer_.give_back(count, taken); }
  // When take() may grant one, for the pace and suspensions.
  [[nodiscard]] SteadyInstant next_permit_at() const;

  // 0 while suspended.
  [[nodiscard]] std::uint32_t connections_allowed(SteadyInstant now) const;
  // For a message that is not to wait behind others: all that the rule allows, unless the receiver
  // has said that they were too many.
  [[nodiscard]] std::uint32_t connections_for_urgent(SteadyInstant now) const;
  // <= 0: no limit. While suspended: what it goes on with.
  [[nodiscard]] double messages_per_second(SteadyInstant now) const;
  [[nodiscard]] bool suspended(SteadyInstant now) const { return now < suspended_until_; }
  [[nodiscard]] SteadyInstant suspended_until() const { return suspended_until_; }
  [[nodiscard]] bool slowed(SteadyInstant now) const {
    return slowed_to_ > 0 && now < slowed_until_;
  }
  [[nodiscard]] bool probing() const { return probing_; }

  struct Why {
    PaceReason reason = PaceReason::starting;
    SteadyInstant since{};
    double limit = 0;  // the pace it was throttled at last; 0: never
    Microseconds latency{};
    Microseconds latency_floor{};
    SteadyInstant until{};  // of what ends by itself: suspended, slowed, a plan
  };
  [[nodiscard]] Why why(SteadyInstant now) const;

  [[nodiscard]] RememberedPace remembered(SteadyInstant now) const;
  // Before anything was sent. What is `age` old counts the less, and the ceilings hold.
  void restore(const RememberedPace& remembered, Microseconds age, SteadyInstant now);

 private:
  void note_latency(const PaceAnswer& answer);
  void end_round(SteadyInstant now);
  void return_to_limit(double shown, Microseconds took, SteadyInstant now);
  void grow_connections(SteadyInstant now);
  void too_many(const PaceAnswer& answer, SteadyInstant now);
  [[nodiscard]] bool answers_come_late(SteadyInstant now) const;
  void shrink(double to, PaceReason reason, SteadyInstant now);
  void begin_return(SteadyInstant now);
  void set_pace(double pace, SteadyInstant now);
  void set_reason(PaceReason reason, SteadyInstant now);
  [[nodiscard]] double ceiling(SteadyInstant now) const;
  [[nodiscard]] Microseconds round_length() const;

  PaceCeilings ceilings_;
  PaceOptions options_;
  Pacer pacer_;
  double pace_ = 0;         // messages a second
  double connections_ = 1;  // grows in parts
  double limit_ = 0;
  double dip_ = 0;         // what was left of limit_ when it shrank last
  SteadyInstant epoch_{};  // since when it returns
  SteadyInstant shrunk_at_ = SteadyInstant::min();
  SteadyInstant fewer_connections_at_ = SteadyInstant::min();
  SteadyInstant heard_at_{};        // the last answer
  Microseconds connection_wait_{};  // until one more is tried; 0: none was ever too many
  bool tries_connection_ = false;   // one more than were taken, and it was not refused yet
  unsigned throttles_in_row_ = 0;

  std::optional<SteadyInstant> round_began_;
  std::uint32_t round_good_ = 0;
  double latency_ = 0;  // microseconds, smoothed; 0: not known
  double latency_floor_ = 0;
  std::uint32_t latencies_ = 0;  // told since the floor was set

  SteadyInstant suspended_until_{};
  double slowed_to_ = 0;
  SteadyInstant slowed_until_{};
  bool probing_ = false;
  PaceReason reason_ = PaceReason::starting;
  SteadyInstant reason_since_{};
};

}  // namespace todoku::delivery::policy
