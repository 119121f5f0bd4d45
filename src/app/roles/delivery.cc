// SPDX-License-Identifier: Apache-2.0
#include "app/roles/delivery.h"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/host_check.h"
#include "app/module_options.h"

namespace todoku::app::roles {
namespace {

Task<Result<void>> probe_sending(const Delivering& delivering) {
  const auto stalled = delivering.stalled();
  if (!stalled) co_return Result<void>();
  co_return fail(ErrorKind::unavailable,
                 fmt::format("no connection has moved for {} minutes and others wait for one",
                             std::chrono::duration_cast<std::chrono::minutes>(*stalled).count()));
}

Task<Result<void>> probe_sources(const config::Config& config) {
  co_return check_sources(config);
}

// Nothing is read: letters are made anew when they are wanted.
Task<Result<ChangeWatch::Take>> renew_letters(Delivering& delivering) {
  co_return ChangeWatch::Take([&delivering]() -> Result<void> {
    delivering.accounts_changed();
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<DeliveryRole>> DeliveryRole::make(const Ground& ground) {
  auto tls = receivers_tls(ground.config.smtp_out);
  if (!tls) return fail(std::move(tls.error()));
  auto asking = resolver_options(ground.config);
  asking.sockets = ground.files.dns;
  auto resolver = dns::UnboundResolver::create(std::move(asking), ground.runtime.executor(0),
                                               ground.clock, ground.metrics);
  if (!resolver) return fail("the DNS resolver", std::move(resolver.error()));
  auto queues = QueueHouse::make(ground.config, ground.store, ground.clock, ground.metrics,
                                 ground.runtime.executor(0));
  if (!queues) return fail(std::move(queues.error()));
  return std::unique_ptr<DeliveryRole>(
      new DeliveryRole(ground, std::move(*resolver), std::move(*queues), std::move(*tls)));
}

DeliveryRole::DeliveryRole(const Ground& ground, std::unique_ptr<dns::UnboundResolver> resolver,
                           QueueHouse queues, std::shared_ptr<const net::TlsClientContext> tls)
    : ground_(ground),
      resolver_(std::move(resolver)),
      resolver_watch_(
          resolver_health(),
          [check = resolver_check(), &clock = ground.clock] {
            return dns::check_resolver(check, clock);
          },
          ground.runtime.executor(0), ground.clock, ground.metrics),
      routes_(*resolver_, routes_to(), dns::RouteCache::Options{}, ground.clock, ground.metrics,
              &resolver_watch_),
      queues_(std::move(queues)),
      delivering_(ground.runtime, ground.store, ground.node, queues_.queues(), routes_, ground.keys,
                  ground.rules, sending(), ground.clock, ground.metrics, std::move(tls)) {
  running_.add([this](SteadyInstant) {
    ground_.wait_for(queues_.stop());
    return true;
  });
  // Before start(), too: who asks for the health of the process asks the resolver.
  running_.add([this](SteadyInstant) {
    ground_.wait_for(resolver_->stop());
    return true;
  });
  resolver_watch_.on_answers_void([this] {
    resolver_->forget_answers();
    routes_.forget_all();
  });
  running_.add([this](SteadyInstant) {
    ground_.wait_for(resolver_watch_.stop());
    return true;
  });
  ground_.readiness.add({"dns", [this] { return resolver_watch_.ready(); }});
  ground_.readiness.add({"sending", [this] { return probe_sending(delivering_); }});
  // An address that this machine loses later: every connection from it would fail.
  ground_.readiness.add({"sources", [this] { return probe_sources(ground_.config); }});
  ground_.changes.follow(store::Topic::accounts, [this] { return renew_letters(delivering_); });
  add_figures();
}

delivery::Options DeliveryRole::sending() const {
  delivery::Options options = delivery_options(ground_.config, ground_.secret);
  options.connections_max = ground_.files.smtp;
  return options;
}

Result<void> DeliveryRole::start() {
  std::vector<queue::Channel> channels;
  for (const delivery::EgressSource& source : sending().sources) {
    channels.push_back({source.name, TrafficClass::transactional});
    channels.push_back({source.name, TrafficClass::bulk});
  }
  auto usable = ground_.wait_for(queues_.check(std::move(channels)));
  if (!usable) return usable;
  resolver_watch_.start();
  delivering_.start();
  running_.add(
      [this](SteadyInstant deadline) { return ground_.wait_for(delivering_.stop(deadline)); });
  return {};
}

dns::RouteOptions DeliveryRole::routes_to() const {
  dns::RouteOptions options = route_options(ground_.config);
  options.site_naming = [&rules = ground_.rules](std::string_view domain,
                                                 std::span<const std::string_view> hosts) {
    const auto* site = rules.find(domain, hosts);
    return site == nullptr ? std::nullopt : std::optional(site->name);
  };
  return options;
}

dns::ResolverCheckOptions DeliveryRole::resolver_check() const {
  const std::string any_name = delivery_options(ground_.config, ground_.secret).return_path_domain;
  return resolver_check_options(ground_.config, any_name);
}

dns::ResolverHealth::Options DeliveryRole::resolver_health() const {
  dns::ResolverHealth::Options options;
  options.enabled = !resolver_check().zones.empty();
  return options;
}

void DeliveryRole::add_figures() {
  constexpr std::string_view kLanes = "todoku_lanes";
  constexpr std::string_view kLanesHelp =
      "Lanes (site and sending address) by state: open ones have connections, waiting ones only "
      "mail, resting ones pause after failures.";
  Metrics& metrics = ground_.metrics;
  Gauge& open = metrics.gauge(kLanes, kLanesHelp, {{"state", "open"}});
  Gauge& waiting = metrics.gauge(kLanes, kLanesHelp, {{"state", "waiting"}});
  Gauge& resting = metrics.gauge(kLanes, kLanesHelp, {{"state", "resting"}});
  Gauge& unrecorded =
      metrics.gauge("todoku_unrecorded_outcomes",
                    "Outcomes of sent mails not yet committed: what a crash now could make go "
                    "twice, beside the mails in hand.");
  Gauge& peak = metrics.gauge("todoku_unrecorded_outcomes_peak",
                              "The most unrecorded outcomes at once since the start.");
  metrics
      .gauge("todoku_unrecorded_outcomes_limit",
             "Unrecorded outcomes at which sending pauses: delivery.unrecorded_max.")
      .set(static_cast<double>(ground_.config.delivery.unrecorded_max));
  ground_.collected.add([this, &open, &waiting, &resting, &unrecorded, &peak] {
    double counts[3] = {0, 0, 0};
    for (const auto& lane : delivering_.lanes()) {
      if (lane.resting) {
        ++counts[2];
      } else if (lane.connections > 0) {
        ++counts[0];
      } else if (lane.waiting > 0) {
        ++counts[1];
      }
    }
    open.set(counts[0]);
    waiting.set(counts[1]);
    resting.set(counts[2]);
    unrecorded.set(static_cast<double>(delivering_.recorder().unrecorded()));
    peak.set(static_cast<double>(delivering_.recorder().unrecorded_peak()));
  });
}

}  // namespace todoku::app::roles
