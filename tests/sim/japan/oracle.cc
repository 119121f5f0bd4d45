// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "delivery/policy/pacer.h"
#include "sim/japan/strategy.h"

namespace todoku::sim::japan {
namespace {

using delivery::policy::SiteLimits;
using delivery::policy::SiteRules;

class OracleLane final : public LaneStrategy {
 public:
  OracleLane(const Place& place, const SiteLimits* within)
      : receiver_(*place.hidden),
        source_(place.source),
        within_(within),
        pacer_(within ? within->messages_per_second : 0) {}

  std::uint32_t connections_max(SteadyInstant now) override {
    const std::uint32_t most = receiver_.limits(now).connections;
    return within_ ? std::min(most, within_->connections_max) : most;
  }
  std::uint32_t messages_per_connection(SteadyInstant now) override {
    const std::uint32_t most = receiver_.limits(now).messages_per_connection;
    return within_ ? std::min(most, within_->messages_per_connection) : most;
  }
  SteadyInstant take(std::uint32_t held, SteadyInstant now) override {
    if (const SteadyInstant at = receiver_.welcome_at(source_, held, now); at > now) return at;
    if (pacer_.take(1, now) == 1) return now;
    return std::max(pacer_.next_permit_at(), now + Microseconds(1));
  }
  bool heard(const Heard&) override { return false; }

 private:
  ReceiverAtWork& receiver_;
  const unsigned source_;
  const SiteLimits* within_;
  delivery::policy::Pacer pacer_;
};

class Oracle final : public Strategy {
 public:
  explicit Oracle(const SiteRules* rules) : rules_(rules) {}

  std::unique_ptr<LaneStrategy> open(const Place& place) override {
    return std::make_unique<OracleLane>(place, ceilings(place.site));
  }
  Microseconds wait_after(std::uint32_t) override { return std::chrono::minutes(1); }
  const SiteLimits* ceilings(std::string_view site) const override {
    return rules_ ? &rules_->limits(site) : nullptr;
  }

 private:
  const SiteRules* rules_;
};

}  // namespace

std::unique_ptr<Strategy> oracle(const SiteRules* rules) {
  return std::make_unique<Oracle>(rules);
}

}  // namespace todoku::sim::japan
