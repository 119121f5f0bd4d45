// SPDX-License-Identifier: Apache-2.0
// Roles `scheduler` and `courier`, which need one another in one process: find routes, decide what
// goes when, and send it.
#pragma once

#include <memory>
#include <string_view>

#include "app/delivering.h"
#include "app/queue_house.h"
#include "app/roles/ground.h"
#include "app/roles/role.h"
#include "app/running.h"
#include "dns/resolver_check.h"
#include "dns/resolver_watch.h"
#include "dns/route_cache.h"
#include "dns/unbound_resolver.h"
#include "intake/intake.h"
#include "net/tls.h"

namespace todoku::app::roles {

class DeliveryRole final : public Role {
 public:
  // `ground` outlives the role. Errors: a resolver, certificates or queue settings that cannot
  // be used.
  [[nodiscard]] static Result<std::unique_ptr<DeliveryRole>> make(const Ground& ground);

  [[nodiscard]] std::string_view name() const override { return "delivery"; }
  [[nodiscard]] Result<void> start() override;
  bool stop(SteadyInstant deadline) override { return running_.stop(deadline); }
  [[nodiscard]] std::optional<explain::Way> way_of(const store::Story& story) const override {
    return delivering_.way_of(story);
  }

  // Takes over what is accepted in this process. Nobody sends before start() and after stop():
  // then there are no leases.
  [[nodiscard]] intake::Handover& handover() { return delivering_; }

 private:
  DeliveryRole(const Ground& ground, std::unique_ptr<dns::UnboundResolver> resolver,
               QueueHouse queues, std::shared_ptr<const net::TlsClientContext> tls);
  [[nodiscard]] dns::RouteOptions routes_to() const;
  [[nodiscard]] dns::ResolverCheckOptions resolver_check() const;
  [[nodiscard]] dns::ResolverHealth::Options resolver_health() const;
  [[nodiscard]] delivery::Options sending() const;
  void add_figures();

  const Ground& ground_;
  const std::unique_ptr<dns::UnboundResolver> resolver_;
  dns::ResolverWatch resolver_watch_;
  dns::RouteCache routes_;
  QueueHouse queues_;
  Delivering delivering_;
  Running running_;
};

}  // namespace todoku::app::roles
