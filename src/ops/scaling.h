// SPDX-License-Identifier: Apache-2.0
// What says how many couriers there should be. Pure.
//
// Intuition: processor and depth of a queue are the wrong signals. Couriers wait for receivers, not
// for the processor, and a thousand recipients are a second's work or an hour's. What can be
// measured is the pace that a courier shows while it has more than enough to do. By that one knows
// how long the work that waits will take, and how much of what they can couriers have to do. Both
// halve when the number of couriers doubles, which is what target tracking takes for granted.
//
// Work that waits is none where couriers keep up, whether they are just enough or ten times too
// many: whoever goes by it alone takes couriers away until work waits, and puts them back, all day.
// The load does not have that fault (tests/scaling).
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace todoku::ops {

// What is known at one moment.
struct ScalingInput {
  SteadyInstant at{};
  std::int64_t ready = 0;     // recipients that more couriers could do sooner
  std::int64_t couriers = 0;  // that live
  std::uint64_t settled = 0;  // recipients tried since the start, by all of them
};

// nullopt: couriers have not had enough to do yet to show their pace.
struct ScalingFigures {
  double backlog_per_courier = 0;      // recipients; of one courier where none lives
  std::optional<double> work_seconds;  // that the couriers that live need for what is ready
  // What they did lately and should do of what is ready, by what they can: 1 is all they can.
  std::optional<double> load;
};

// Remembers the pace of one courier between readings. Not thread-safe.
class ScalingReading {
 public:
  // Readings closer together than this tell nothing of a pace.
  static constexpr Microseconds kSample = std::chrono::seconds(10);
  // Couriers with so much work left at both ends of a sample did what they could in it.
  static constexpr double kBusySeconds = 10;
  // How fast a slower pace is believed: the time constant of a moving average.
  static constexpr Microseconds kBelievedAfter = std::chrono::minutes(2);
  // In this time what is ready should be done.
  static constexpr Microseconds kHorizon = std::chrono::minutes(5);

  [[nodiscard]] ScalingFigures read(const ScalingInput& now);
  // Others were told what couriers did: what has been shown since then is not known here.
  void interrupted() {
    before_.reset();
    rate_.reset();
  }

 private:
  void learn(const ScalingInput& now);

  std::optional<ScalingInput> before_;
  std::optional<double> rate_;  // of all, recipients a second, in the last sample
  std::optional<double> pace_;  // that one courier has shown, recipients a second
};

}  // namespace todoku::ops
