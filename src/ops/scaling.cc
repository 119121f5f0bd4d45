// SPDX-License-Identifier: Apache-2.0
#include "ops/scaling.h"

#include <algorithm>
#include <cmath>

namespace todoku::ops {
namespace {

double in_seconds(Microseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

// What couriers do when there is little to do says nothing of what they can: a pace is learned, and
// goes down, only while they are busy. It goes up whenever more is shown.
void ScalingReading::learn(const ScalingInput& now) {
  if (!before_) {
    before_ = now;
    return;
  }
  if (now.at - before_->at < kSample) return;
  const ScalingInput before = *before_;
  before_ = now;
  const double seconds = in_seconds(now.at - before.at);
  const double rate =
      static_cast<double>(std::max(now.settled, before.settled) - before.settled) / seconds;
  rate_ = rate;
  // Those that were there all the time.
  const std::int64_t couriers = std::min(before.couriers, now.couriers);
  if (couriers <= 0 || rate <= 0) return;
  const double shown = rate / static_cast<double>(couriers);
  const bool busy = static_cast<double>(std::min(before.ready, now.ready)) >= rate * kBusySeconds;
  if (pace_ ? shown >= *pace_ : busy) {
    pace_ = shown;
  } else if (pace_ && busy) {
    *pace_ += (shown - *pace_) * (1 - std::exp(-seconds / in_seconds(kBelievedAfter)));
  }
}

ScalingFigures ScalingReading::read(const ScalingInput& now) {
  learn(now);
  const double couriers = static_cast<double>(std::max<std::int64_t>(now.couriers, 1));
  const double ready = static_cast<double>(std::max<std::int64_t>(now.ready, 0));
  ScalingFigures figures{.backlog_per_courier = ready / couriers, .work_seconds = {}, .load = {}};
  if (ready == 0) figures.work_seconds = 0;
  if (!pace_) return figures;
  const double can = *pace_ * couriers;
  figures.work_seconds = ready / can;
  if (rate_) figures.load = (*rate_ + ready / in_seconds(kHorizon)) / can;
  return figures;
}

}  // namespace todoku::ops
