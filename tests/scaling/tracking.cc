// SPDX-License-Identifier: Apache-2.0
#include "scaling/tracking.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace todoku::scaling {

void Tracking::see(double value) {
  values_.push_back(value);
  if (std::ssize(values_) > kBelow) values_.pop_front();
}

std::int64_t Tracking::decide(double now, std::int64_t running) {
  const auto wanted = [&](std::int64_t capacity, double value) {
    return static_cast<std::int64_t>(
        std::ceil(static_cast<double>(capacity) * value / options_.target));
  };
  const auto above = [&](double value) { return value > options_.target; };
  const auto below = [&](double value) { return value < options_.target * kSlack; };
  if (std::ssize(values_) >= kAbove && std::all_of(values_.end() - kAbove, values_.end(), above)) {
    if (now - grew_at_ < options_.cooldown_out) return desired_;
    const std::int64_t more =
        std::clamp(wanted(running, values_.back()), desired_, options_.capacity_max);
    if (more > desired_) grew_at_ = now;
    desired_ = more;
  } else if (std::ssize(values_) >= kBelow && std::all_of(values_.begin(), values_.end(), below)) {
    if (now - std::max(grew_at_, shrank_at_) < options_.cooldown_in) return desired_;
    const std::int64_t fewer =
        std::clamp(wanted(desired_, *std::max_element(values_.begin(), values_.end())),
                   options_.capacity_min, desired_);
    if (fewer < desired_) shrank_at_ = now;
    desired_ = fewer;
  }
  return desired_;
}

}  // namespace todoku::scaling
