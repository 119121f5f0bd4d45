// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "delivery/policy/adaptive_pace.h"
#include "delivery/policy/backoff.h"
#include "delivery/policy/lane_answers.h"
#include "delivery/policy/retry.h"
#include "sim/japan/strategy.h"

namespace todoku::sim::japan {
namespace {

using delivery::policy::AdaptivePace;
using delivery::policy::PaceOptions;
using delivery::policy::PaceReply;
using delivery::policy::SiteLimits;
using delivery::policy::SiteRules;

// What egress makes of answers (lane.cc, lane_connection_mail.cc), without the sockets.
class AdaptiveLane final : public LaneStrategy {
 public:
  AdaptiveLane(const SiteLimits& limits, const PaceOptions& options, std::uint64_t seed)
      : limits_(limits),
        pace_({.connections_max = limits.connections_max,
               .messages_per_second = limits.messages_per_second},
              options),
        random_(seed) {}

  std::uint32_t connections_max(SteadyInstant now) override {
    if (backoff_.resting(now)) return 0;
    return backoff_.failures() > 0 ? 1 : pace_.connections_allowed(now);
  }
  std::uint32_t messages_per_connection(SteadyInstant) override {
    return limits_.messages_per_connection;
  }
  SteadyInstant take(std::uint32_t, SteadyInstant now) override {
    if (backoff_.resting(now)) return backoff_.until();
    if (pace_.take(1, now) == 1) return now;
    return std::max(pace_.next_permit_at(), now + Microseconds(1));
  }
  bool heard(const Heard& heard) override {
    if (heard.at_connect) return heard.said != Said::taken && not_let_in(heard);
    // After mails that were taken a 421 is "enough for this connection".
    if (heard.said == Said::session_full) return true;
    const Microseconds latency = heard.now - heard.began;
    const bool too_fast = is_limit(heard.said);
    const PaceReply reply = too_fast ? PaceReply::too_fast : PaceReply::good;
    const bool rests = pace_.answered({.reply = reply, .latency = latency}, heard.now);
    if (rests) fails(heard.now);
    if (!too_fast && !backoff_.resting(heard.now)) backoff_.succeeded();
    return too_fast;
  }

 private:
  bool not_let_in(const Heard& heard) {
    const bool failed = heard.said == Said::blocked ||
                        delivery::policy::too_many_told(pace_, backoff_, heard.others,
                                                        heard.now - heard.began, heard.now);
    if (failed) fails(heard.now);
    return true;
  }
  void fails(SteadyInstant now) { backoff_.failed(now, random_); }

  const SiteLimits& limits_;
  AdaptivePace pace_;
  SeededRandom random_;
  delivery::policy::Backoff backoff_{{}};
};

class Adaptive final : public Strategy {
 public:
  Adaptive(const SiteRules& rules, const PaceOptions& options) : rules_(rules), options_(options) {}

  std::unique_ptr<LaneStrategy> open(const Place& place) override {
    return std::make_unique<AdaptiveLane>(rules_.limits(place.site), options_, ++lanes_);
  }
  Microseconds wait_after(std::uint32_t attempts) override {
    return delivery::policy::wait_after({}, feedback::classify::NextStep::retry_slowly, attempts,
                                        attempts);
  }
  const SiteLimits* ceilings(std::string_view site) const override { return &rules_.limits(site); }

 private:
  const SiteRules& rules_;
  const PaceOptions options_;
  std::uint64_t lanes_ = 0;
};

}  // namespace

std::unique_ptr<Strategy> adaptive(const SiteRules& rules, const PaceOptions& options) {
  return std::make_unique<Adaptive>(rules, options);
}

}  // namespace todoku::sim::japan
