// SPDX-License-Identifier: Apache-2.0
#include "app/roles/routing.h"

#include <optional>
#include <span>
#include <utility>

#include "app/module_options.h"

namespace todoku::app::roles {

Result<std::unique_ptr<Routing>> Routing::make(const Ground& ground) {
  auto asking = resolver_options(ground.config);
  asking.sockets = ground.files.dns;
  auto resolver = dns::UnboundResolver::create(std::move(asking), ground.runtime.executor(0),
                                               ground.clock, ground.metrics);
  if (!resolver) return fail("the DNS resolver", std::move(resolver.error()));
  return std::unique_ptr<Routing>(new Routing(ground, std::move(*resolver)));
}

Routing::Routing(const Ground& ground, std::unique_ptr<dns::UnboundResolver> resolver)
    : ground_(ground),
      resolver_(std::move(resolver)),
      watch_(
          resolver_health(),
          [check = resolver_check(), &clock = ground.clock] {
            return dns::check_resolver(check, clock);
          },
          ground.runtime.executor(0), ground.clock, ground.metrics),
      routes_(*resolver_, routes_to(), dns::RouteCache::Options{}, ground.clock, ground.metrics,
              &watch_) {
  watch_.on_answers_void([this] {
    resolver_->forget_answers();
    routes_.forget_all();
  });
  if (!ground_.config.smtp_out.sandbox) {
    ground_.readiness.add({"dns", [this] { return watch_.ready(); }});
  }
}

void Routing::start() {
  if (!ground_.config.smtp_out.sandbox) watch_.start();
}

void Routing::stop() {
  ground_.wait_for(watch_.stop());
  ground_.wait_for(resolver_->stop());
}

std::string Routing::site_of(std::string_view domain) {
  const auto route = routes_.peek(domain);
  return route && *route ? (**route).site : std::string(domain);
}

dns::RouteOptions Routing::routes_to() const {
  dns::RouteOptions options = route_options(ground_.config);
  options.site_naming = [&rules = ground_.rules](std::string_view domain,
                                                 std::span<const std::string_view> hosts) {
    const auto* site = rules.find(domain, hosts);
    return site == nullptr ? std::nullopt : std::optional(site->name);
  };
  options.wants_dane = [&rules = ground_.rules](std::string_view site) {
    const auto& limits = rules.limits(site);
    return limits.dane && limits.tls != delivery::policy::TlsPolicy::none;
  };
  return options;
}

dns::ResolverCheckOptions Routing::resolver_check() const {
  const std::string any_name = delivery_options(ground_.config, ground_.secret).return_path_domain;
  return resolver_check_options(ground_.config, any_name);
}

dns::ResolverHealth::Options Routing::resolver_health() const {
  dns::ResolverHealth::Options options;
  // In a sandbox no route is looked up.
  options.enabled = !ground_.config.smtp_out.sandbox && !resolver_check().zones.empty();
  return options;
}

}  // namespace todoku::app::roles
