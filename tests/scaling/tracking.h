// SPDX-License-Identifier: Apache-2.0
// Target tracking as AWS's Application Auto Scaling does it ("Target tracking scaling policies"):
// an alarm above the target after three minutes, one below nine tenths of it after fifteen, and the
// capacity that would bring the figure to the target. Knows nothing of mail. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace todoku::scaling {

struct TrackingOptions {
  double target = 0;
  std::int64_t capacity_min = 2;
  std::int64_t capacity_max = 40;
  double cooldown_out = 60;  // seconds
  double cooldown_in = 600;
};

class Tracking {
 public:
  explicit Tracking(const TrackingOptions& options)
      : options_(options), desired_(options.capacity_min) {}

  // A datapoint has arrived; one comes for each minute.
  void see(double value);
  // What the alarms make of it at `now` with `running` tasks; the capacity that is wanted.
  std::int64_t decide(double now, std::int64_t running);

 private:
  static constexpr std::ptrdiff_t kAbove = 3;  // minutes
  static constexpr std::ptrdiff_t kBelow = 15;
  static constexpr double kSlack = 0.9;

  const TrackingOptions options_;
  std::int64_t desired_;
  std::deque<double> values_;  // the latest last
  double grew_at_ = -1e9;
  double shrank_at_ = -1e9;
};

}  // namespace todoku::scaling
