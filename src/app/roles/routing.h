// SPDX-License-Identifier: Apache-2.0
// How a process that sends finds routes: the resolver, the watch over it, and the cache of routes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/roles/ground.h"
#include "dns/resolver_check.h"
#include "dns/resolver_watch.h"
#include "dns/route_cache.h"
#include "dns/unbound_resolver.h"

namespace todoku::app::roles {

class Routing {
 public:
  // Adds its check to those of the process. `ground` outlives it. Errors: a resolver that cannot be
  // used.
  [[nodiscard]] static Result<std::unique_ptr<Routing>> make(const Ground& ground);

  // In a sandbox nobody is asked.
  void start();
  // After all who look for routes. Blocks; also if it was never started: who asks for the health of
  // the process asks the resolver.
  void stop();

  [[nodiscard]] dns::RouteCache& routes() { return routes_; }
  [[nodiscard]] dns::Resolver& resolver() { return *resolver_; }
  // One check of the name servers (dns/resolver_check.h), beside those of the watch.
  [[nodiscard]] Task<dns::CheckFinding> check() const {
    return dns::check_resolver(resolver_check(), ground_.clock);
  }
  // As far as the route of the domain is known, else the domain.
  [[nodiscard]] std::string site_of(std::string_view domain);

 private:
  Routing(const Ground& ground, std::unique_ptr<dns::UnboundResolver> resolver);
  [[nodiscard]] dns::RouteOptions routes_to() const;
  [[nodiscard]] dns::ResolverCheckOptions resolver_check() const;
  [[nodiscard]] dns::ResolverHealth::Options resolver_health() const;

  const Ground& ground_;
  const std::unique_ptr<dns::UnboundResolver> resolver_;
  dns::ResolverWatch watch_;
  dns::RouteCache routes_;
};

}  // namespace todoku::app::roles
