// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "sim/japan/strategy.h"

namespace todoku::sim::japan {
namespace {

using std::chrono::seconds;

constexpr unsigned kInitial = 5;         // initial_destination_concurrency
constexpr seconds kMinimalBackoff{300};  // also how long a dead destination rests
constexpr seconds kMaximalBackoff{4000};

// With feedback of 1/concurrency a whole concurrency's worth of successes (or failures) in a row
// moves the concurrency by one.
class PostfixLane final : public LaneStrategy {
 public:
  explicit PostfixLane(const PostfixSettings& settings) : settings_(settings) {}

  std::uint32_t connections_max(SteadyInstant now) override {
    revive(now);
    return concurrency_;
  }
  std::uint32_t messages_per_connection(SteadyInstant) override {
    return ~0U;  // its connections are reused by time, not by count
  }
  SteadyInstant take(std::uint32_t, SteadyInstant now) override {
    revive(now);
    return concurrency_ == 0 ? dead_until_ : now;
  }
  bool heard(const Heard& heard) override {
    revive(heard.now);
    if (concurrency_ == 0) return false;
    if (heard.at_connect && heard.said != Said::taken) failed(heard.now);
    if (!heard.at_connect) served();
    return false;
  }

 private:
  void revive(SteadyInstant now) {
    if (concurrency_ > 0 || now < dead_until_) return;
    concurrency_ = std::min(kInitial, settings_.concurrency_limit);
    success_ = failure_ = failed_cohorts_ = 0;
  }
  void served() {
    failed_cohorts_ = 0;
    if (concurrency_ >= settings_.concurrency_limit) return;
    success_ += 1.0 / concurrency_;
    if (success_ < 1) return;
    ++concurrency_;
    success_ = failure_ = 0;
  }
  void failed(SteadyInstant now) {
    failed_cohorts_ += 1.0 / concurrency_;
    if (failed_cohorts_ >= settings_.failed_cohort_limit) {
      concurrency_ = 0;
      dead_until_ = now + kMinimalBackoff;
      return;
    }
    failure_ += 1.0 / concurrency_;
    if (failure_ < 1) return;
    concurrency_ = std::max(1U, concurrency_ - 1);
    success_ = failure_ = 0;
  }

  const PostfixSettings settings_;
  unsigned concurrency_ = std::min(kInitial, settings_.concurrency_limit);
  double success_ = 0;
  double failure_ = 0;
  double failed_cohorts_ = 0;
  SteadyInstant dead_until_{};
};

class Postfix final : public Strategy {
 public:
  explicit Postfix(const PostfixSettings& settings) : settings_(settings) {}

  std::unique_ptr<LaneStrategy> open(const Place&) override {
    return std::make_unique<PostfixLane>(settings_);
  }
  // The wait is the time that a message has been in the queue, within its bounds: it doubles.
  Microseconds wait_after(std::uint32_t attempts) override {
    const auto doubled = kMinimalBackoff * (1U << std::min(attempts - 1, 4U));
    return std::min<seconds>(doubled, kMaximalBackoff);
  }

 private:
  const PostfixSettings settings_;
};

}  // namespace

std::unique_ptr<Strategy> postfix(const PostfixSettings& settings) {
  return std::make_unique<Postfix>(settings);
}

}  // namespace todoku::sim::japan
