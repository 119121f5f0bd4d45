// SPDX-License-Identifier: Apache-2.0
// How fast to send, as one interface: what a lane (one source at one site) may do now, and what it
// heard. A strategy knows nothing of a receiver but what is said to it; the oracle alone looks.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "delivery/policy/adaptive_pace.h"
#include "delivery/policy/site_rules.h"
#include "sim/japan/receiver.h"

namespace todoku::sim::japan {

// "Ask again after the next answer."
constexpr SteadyInstant kAfterAnswer = SteadyInstant::max();

struct Heard {
  Said said = Said::taken;
  bool at_connect = false;   // instead of to a message
  std::uint32_t others = 0;  // connections of the lane that are open besides
  SteadyInstant began{};     // of the connection's or the message's wait for this answer
  SteadyInstant now{};
};

class LaneStrategy {
 public:
  virtual ~LaneStrategy() = default;
  [[nodiscard]] virtual std::uint32_t connections_max(SteadyInstant now) = 0;
  [[nodiscard]] virtual std::uint32_t messages_per_connection(SteadyInstant now) = 0;
  // May a message go now? Answers `now` if so, and counts it; otherwise when to ask again.
  // `held` were granted and have not begun yet, for want of a connection. A message that was
  // granted and finds none is given back.
  [[nodiscard]] virtual SteadyInstant take(std::uint32_t held, SteadyInstant now) = 0;
  // True: this connection is left.
  virtual bool heard(const Heard& heard) = 0;
};

struct Place {
  std::string_view site;
  unsigned source = 0;
  ReceiverAtWork* hidden = nullptr;  // for the oracle alone
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  [[nodiscard]] virtual std::unique_ptr<LaneStrategy> open(const Place& place) = 0;
  // When a recipient is due again that met a limit, for the `attempts`th time.
  [[nodiscard]] virtual Microseconds wait_after(std::uint32_t attempts) = 0;
  // What its lanes promise never to pass, nullptr if nothing.
  [[nodiscard]] virtual const delivery::policy::SiteLimits* ceilings(std::string_view) const {
    return nullptr;
  }
};

// Postfix: concurrency feedback by destination as its SCHEDULER_README describes it, no notion of a
// rate. Initial concurrency 5, positive and negative feedback 1/concurrency, minimal and maximal
// backoff of 300 and 4000 s. Only connections and handshakes that fail are feedback; a message that
// is refused is deferred, no more.
struct PostfixSettings {
  unsigned concurrency_limit = 20;  // default_destination_concurrency_limit
  double failed_cohort_limit = 1;   // default_destination_concurrency_failed_cohort_limit
};
[[nodiscard]] std::unique_ptr<Strategy> postfix(const PostfixSettings& settings = {});

// Sends when, and only when, the receiver would take it. With `rules`, also within these.
[[nodiscard]] std::unique_ptr<Strategy> oracle(const delivery::policy::SiteRules* rules = nullptr);

// The engine's own: policy/adaptive_pace.h below the limits of `rules`, and the rest of a lane
// whose site fails (policy/backoff.h). Without `options.adaptive` it sends at these limits: fixed
// settings. `rules` must outlive it.
[[nodiscard]] std::unique_ptr<Strategy> adaptive(const delivery::policy::SiteRules& rules,
                                                 const delivery::policy::PaceOptions& options = {});

}  // namespace todoku::sim::japan
