// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/backoff.h"

#include <algorithm>

namespace todoku::delivery::policy {

void Backoff::failed(SteadyInstant now, Random& random) {
  if (resting(now)) return;
  constexpr unsigned kDoublingsMax = 20;
  const unsigned doublings = std::min(failures_, kDoublingsMax);
  const auto doubled = std::min(options_.first * (std::int64_t{1} << doublings), options_.longest);
  const double spread = 1.0 + options_.jitter * (2.0 * random.unit() - 1.0);
  const auto rest = Microseconds(
      static_cast<std::int64_t>(static_cast<double>(Microseconds(doubled).count()) * spread));
  ++failures_;
  until_ = now + rest;
}

void Backoff::succeeded() {
  failures_ = 0;
  until_ = SteadyInstant{};
}

}  // namespace todoku::delivery::policy
