// SPDX-License-Identifier: Apache-2.0
#include "app/roles/api.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/reference/reference.h"
#include "app/host_check.h"
#include "app/module_options.h"
#include "app/source_examination.h"
#include "app/told_endpoints.h"
#include "base/log.h"
#include "delivery/options.h"
#include "mime/message_template.h"

namespace todoku::app::roles {
namespace {

using namespace std::chrono_literals;

// How long clients may take to finish what they began when their server stops.
constexpr Milliseconds kRequestGrace = 5s;
constexpr std::size_t kFarewellConnectionsMax = 100;

Milliseconds until(SteadyInstant deadline, const Clock& clock) {
  return std::max(Milliseconds(0),
                  std::chrono::duration_cast<Milliseconds>(deadline - clock.steady_now()));
}

// There is nothing to read: whoever calls is asked about.
Task<Result<ChangeWatch::Take>> forget_accounts(api::Api& api) {
  co_return ChangeWatch::Take([&api]() -> Result<void> {
    api.forget_accounts();
    return {};
  });
}

std::optional<ComposedPreflight> preflight_of(const Ground& ground, PreflightNames* names) {
  if (names == nullptr) return std::nullopt;
  std::vector<doctor::SourceIdentity> sources;
  for (ExaminedSource& source : examined_sources(ground.config)) {
    sources.push_back(std::move(source.identity));
  }
  return std::optional<ComposedPreflight>(std::in_place,
                                          ComposedPreflight::World{.store = ground.store,
                                                                   .keys = ground.keys,
                                                                   .names = names->world(),
                                                                   .clock = ground.clock},
                                          delivery_options(ground.config, ground.secret),
                                          std::move(sources));
}

}  // namespace

ApiRole::ApiRole(const Ground& ground, Door& door, Beside beside)
    : ground_(ground),
      door_(door),
      copies_(ground.store, ground.keys, delivery_options(ground.config, ground.secret)),
      preflight_(preflight_of(ground, beside.names)),
      previews_(ground.store, ground.keys, ground.clock,
                delivery_options(ground.config, ground.secret)),
      random_(random_seed()),
      endpoints_(registry_parts(ground)),
      api_({.store = ground.store,
            .intake = door.intake(),
            .uploads = ground.uploads,
            .files = ground.file_pool,
            .clock = ground.clock,
            .metrics = ground.metrics,
            .random = random_,
            .copies = &copies_,
            .operations = beside.operations,
            .endpoints = &endpoints_,
            .preflight = preflight_ ? &*preflight_ : nullptr,
            .previews = &previews_,
            .box = &ground.box},
           api_options()),
      open_tokens_(ground.secret),
      pixel_(open_tokens_, seen_opens_, ground.clock, ground.metrics),
      unsubscribe_(ground.secret, ground.store, ground.clock, ground.metrics),
      server_(make_server(ground, "api", router(), server_options())),
      farewell_(ground),
      console_(beside.people == nullptr || beside.operations == nullptr
                   ? nullptr
                   : std::make_unique<ConsoleListener>(ground, api_, *beside.operations,
                                                       *beside.people)),
      recording_(seen_opens_, ground.store, ground.runtime.executor(0), ground.clock,
                 ground.metrics),
      uses_(api_, ground.runtime.executor(0), ground.clock) {
  for (const store::Topic topic : {store::Topic::accounts, store::Topic::api_keys}) {
    ground.changes.follow(topic, [this] { return forget_accounts(api_); });
  }
}

http::Router ApiRole::router() {
  http::Router router;
  api_.add_routes(router);
  api_.add_door_routes(router);
  pixel_.add_route(router);
  unsubscribe_.add_routes(router);
  api::reference::add_routes(router);
  ops::add_health_routes(router, ground_.readiness);
  // With a listener of their own the metrics are nobody's business here.
  if (ground_.config.metrics.listen.empty()) {
    ops::add_metrics_route(router, ground_.metrics, ground_.collected, true);
  }
  return router;
}

api::Options ApiRole::api_options() const {
  api::Options options = app::api_options(ground_.config);
  options.files_max = ground_.files.uploads;
  const delivery::Options sending = delivery_options(ground_.config, ground_.secret);
  options.message_id_domain = sending.message_id_domain;
  options.message_id = [domain = sending.message_id_domain, secret = sending.instance_secret](
                           const store::RecipientKey& key, DeliveryType type) {
    std::string id;
    mime::append_message_id(id,
                            {.delivery = static_cast<std::int64_t>(key.delivery),
                             .batch = key.batch,
                             .seq = key.seq,
                             .message_id_domain = domain,
                             .secret = secret},
                            type == DeliveryType::transaction);
    return id;
  };
  return options;
}

http::ServerOptions ApiRole::server_options() {
  http::ServerOptions options = app::server_options(ground_.config);
  options.failure_responder = [this](const http::Failure& failure, const http::Request& request) {
    return api_.failure_response(failure, request);
  };
  options.connections_max = ground_.files.api;
  options.refusals_max = ground_.files.api_refusals - http::Server::kNewcomersMax;
  return options;
}

Result<void> ApiRole::start() {
  if (auto open = door_.start(); !open) return open;
  const auto tls = api_tls(ground_.config.api);
  if (!tls) return fail(tls.error());
  recording_.start();
  uses_.start();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(recording_.stop());
    ground_.wait_for(uses_.stop());
    return true;
  });
  const auto at = *net::Endpoint::parse(ground_.config.api.listen);
  auto listening = ground_.wait_for(server_->listen(at, *tls));
  if (!listening) return fail("api.listen", std::move(listening.error()));
  running_.add([this](SteadyInstant deadline) {
    const Milliseconds grace = std::min(kRequestGrace, until(deadline, ground_.clock) / 2);
    if (grace > 0ms) {
      farewell_.begin(*server_, server_options(), kFarewellConnectionsMax, farewell_router());
    }
    ground_.wait_for(server_->stop(grace));
    return true;
  });
  if (auto open = start_console(); !open) return open;
  const std::lock_guard lock(mutex_);
  endpoint_ = *listening;
  return {};
}

Result<void> ApiRole::start_console() {
  if (console_ == nullptr) return {};
  if (auto open = console_->start(); !open) return open;
  running_.add([this](SteadyInstant deadline) {
    console_->stop(std::min(kRequestGrace, until(deadline, ground_.clock) / 2));
    return true;
  });
  return {};
}

// Balancers look at /readyz for when to send nobody any more.
http::Router ApiRole::farewell_router() {
  http::Router router;
  ops::add_health_routes(router, ground_.readiness);
  return router;
}

void ApiRole::leave() {
  farewell_.leave();
  if (console_ != nullptr) console_->leave();
}

void ApiRole::describe(operate::EngineStatus& status) const {
  const config::Config::Api& given = ground_.config.api;
  const auto at = endpoint();
  if (!given.public_url.empty()) {
    status.api = given.public_url;
  } else if (at) {
    status.api = fmt::format("{}://{}", given.tls_certificate_file.empty() ? "http" : "https",
                             at->to_string());
  }
  if (console_ != nullptr) status.console = console_->url();
}

std::optional<net::Endpoint> ApiRole::endpoint() const {
  const std::lock_guard lock(mutex_);
  return endpoint_;
}

}  // namespace todoku::app::roles
