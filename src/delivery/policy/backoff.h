// SPDX-License-Identifier: Apache-2.0
// When a whole site gets a rest: after failures that speak of the site, not of a recipient
// (no connection, 421, a refusal at the greeting).
#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace todoku::delivery::policy {

struct BackoffOptions {
  Milliseconds first{std::chrono::seconds(10)};  // after the first failure in a row
  Milliseconds longest{std::chrono::minutes(30)};
  double jitter = 0.2;  // spread of +-20 %, so that lanes do not come back together
};

// One per lane. A success ends the rest and forgets the failures.
class Backoff {
 public:
  explicit Backoff(BackoffOptions options) : options_(options) {}

  // Records a failure of the site. While resting, further failures of connections opened before do
  // not lengthen the rest.
  void failed(SteadyInstant now, Random& random);
  void succeeded();
  // Rests until then instead; what failed stays known.
  void rest_until(SteadyInstant until) { until_ = until; }

  [[nodiscard]] bool resting(SteadyInstant now) const { return now < until_; }
  [[nodiscard]] SteadyInstant until() const { return until_; }
  [[nodiscard]] unsigned failures() const { return failures_; }

 private:
  BackoffOptions options_;
  unsigned failures_ = 0;
  SteadyInstant until_{};
};

}  // namespace todoku::delivery::policy
