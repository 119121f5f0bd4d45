// SPDX-License-Identifier: Apache-2.0
#include "app/roles/delivery.h"

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "app/module_options.h"

namespace todoku::app::roles {
namespace {

// Any answer will do: it is the resolver that is asked, not the name.
Task<Result<void>> probe_dns(dns::Resolver& resolver, std::string name) {
  const auto answer = co_await resolver.mx(std::move(name));
  if (answer || answer.error().kind == ErrorKind::not_found) co_return Result<void>();
  co_return fail(answer.error());
}

}  // namespace

Result<std::unique_ptr<DeliveryRole>> DeliveryRole::make(const Ground& ground) {
  auto tls = net::TlsClientContext::create({.ca_file = ground.config.smtp_out.tls_ca_file});
  if (!tls) return fail("TLS to receivers (smtp_out.tls_ca_file)", std::move(tls.error()));
  auto resolver = dns::UnboundResolver::create(
      resolver_options(ground.config), ground.runtime.executor(0), ground.clock, ground.metrics);
  if (!resolver) return fail("the DNS resolver", std::move(resolver.error()));
  return std::unique_ptr<DeliveryRole>(
      new DeliveryRole(ground, std::move(*resolver), std::move(*tls)));
}

DeliveryRole::DeliveryRole(const Ground& ground, std::unique_ptr<dns::UnboundResolver> resolver,
                           std::shared_ptr<const net::TlsClientContext> tls)
    : ground_(ground),
      resolver_(std::move(resolver)),
      routes_(*resolver_, routes_to(), dns::RouteCache::Options{}, ground.clock, ground.metrics),
      queues_(queue::MemoryQueue::Options{}, ground.clock),
      delivering_(ground.runtime, ground.store, queues_, routes_, ground.keys, ground.rules,
                  delivery_options(ground.config, ground.secret), ground.holder, ground.clock,
                  ground.metrics, std::move(tls)) {
  // Before start(), too: who asks for the health of the process asks the resolver.
  running_.add([this](SteadyInstant) {
    ground_.wait_for(resolver_->stop());
    return true;
  });
  ground_.readiness.add(dns_check());
  add_figures();
}

Result<void> DeliveryRole::start() {
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

ops::Check DeliveryRole::dns_check() {
  const std::string name = delivery_options(ground_.config, ground_.secret).return_path_domain;
  return {"dns", [this, name] { return probe_dns(*resolver_, name); }};
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
