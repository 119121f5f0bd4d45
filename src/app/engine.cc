// SPDX-License-Identifier: Apache-2.0
#include "app/engine.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "api/admin/routes.h"
#include "api/api.h"
#include "app/delivering.h"
#include "app/housekeeping.h"
#include "app/key_ring.h"
#include "app/module_options.h"
#include "app/vault.h"
#include "app/version.h"
#include "async/runtime.h"
#include "base/digest.h"
#include "base/log.h"
#include "config/files.h"
#include "config/site_rules.h"
#include "dns/route_cache.h"
#include "http/server.h"
#include "intake/importer.h"
#include "net/tls.h"
#include "operate/operations.h"
#include "ops/collected.h"
#include "ops/health.h"
#include "queue/embedded/memory_queue.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

// How long clients may take to finish what they began when their server stops.
constexpr Milliseconds kRequestGrace = 5s;
constexpr Milliseconds kAdminGrace = 1s;

store::Holder new_holder() {
  store::Holder holder = 0;
  const std::string octets = random_octets(sizeof(holder));
  std::memcpy(&holder, octets.data(), sizeof(holder));
  return holder >> 1U;  // stores keep it in a signed column
}

Milliseconds until(SteadyInstant deadline, const Clock& clock) {
  return std::max(Milliseconds(0),
                  std::chrono::duration_cast<Milliseconds>(deadline - clock.steady_now()));
}

// Any answer will do: it is the resolver that is asked, not the name.
Task<Result<void>> probe_dns(dns::Resolver& resolver, std::string name) {
  const auto answer = co_await resolver.mx(std::move(name));
  if (answer || answer.error().kind == ErrorKind::not_found) co_return Result<void>();
  co_return fail(answer.error());
}

}  // namespace

struct Engine::Parts {
  explicit Parts(Options given) : options(std::move(given)) {}

  // -- starting, in this order; stopping is in reverse
  Result<void> start_store();
  Result<void> release_old_leases();
  Result<void> start_secrets();
  Result<void> start_runtime();
  Result<void> start_dns();
  Result<void> make_delivery();
  Result<void> make_operations();
  Result<void> start_admin();
  Result<void> start_metrics_listener();
  Result<void> start_delivery();
  Result<void> start_intake();
  Result<void> start_api();
  Result<void> start_all();
  bool stop_all(Milliseconds grace);

  // -- helpers
  void on_stop(std::function<bool(SteadyInstant deadline)> stop) {
    running.push_back(std::move(stop));
  }
  template <class T>
  T wait_for(Task<T> task) {
    return boost::asio::co_spawn(runtime->executor(0), std::move(task), boost::asio::use_future)
        .get();
  }
  [[nodiscard]] std::vector<async::Executor> executors() const;
  std::unique_ptr<http::Server> make_server(std::string_view name, http::Router router,
                                            http::ServerOptions server_options);
  Result<std::shared_ptr<const net::TlsServerContext>> api_tls() const;
  void describe(operate::EngineStatus& status) const;
  void collect_delivery();
  [[nodiscard]] bool delivers() const {
    return has_role(config, "scheduler") && has_role(config, "courier");
  }

  Options options;
  const config::Config& config = options.loaded.config;
  const Clock& clock = *options.clock;
  const Instant started = options.clock->now();
  const store::Holder holder = new_holder();
  Metrics metrics;

  std::unique_ptr<store::SqliteStore> store;
  std::optional<SecretBox> box;
  InstanceSecret secret{};
  std::optional<StoredKeyRing> key_ring;
  delivery::policy::SiteRules rules;
  std::unique_ptr<async::Runtime> runtime;
  std::unique_ptr<dns::UnboundResolver> resolver;
  std::optional<dns::RouteCache> routes;
  std::optional<queue::MemoryQueues> queues;
  std::unique_ptr<Delivering> delivering;
  std::unique_ptr<Housekeeping> housekeeping;
  std::unique_ptr<intake::Intake> intake;
  std::unique_ptr<intake::Importer> importer;
  std::optional<ops::Readiness> readiness;
  std::optional<ops::CollectedMetrics> collected;
  std::optional<operate::Operations> operations;
  std::unique_ptr<api::Api> api;
  std::unique_ptr<http::Server> admin_server;
  std::unique_ptr<http::Server> metrics_server;
  std::unique_ptr<http::Server> api_server;
  std::optional<net::Endpoint> metrics_endpoint;
  mutable std::mutex endpoint_mutex;  // the admin socket answers before there is an API
  std::optional<net::Endpoint> api_endpoint;
  std::vector<std::function<bool(SteadyInstant)>> running;
};

// ---- starting ----------------------------------------------------------------------------------

Result<void> Engine::Parts::start_all() {
  using Step = Result<void> (Parts::*)();
  for (const Step step : {&Parts::start_store, &Parts::start_secrets, &Parts::start_runtime,
                          &Parts::start_dns, &Parts::make_delivery, &Parts::make_operations,
                          &Parts::start_admin, &Parts::start_metrics_listener,
                          &Parts::start_delivery, &Parts::start_intake, &Parts::start_api}) {
    auto done = (this->*step)();
    if (done) continue;
    (void)stop_all(0ms);
    return done;
  }
  readiness->started();
  log::info("engine started", {{"version", version()},
                               {"data", config.data.directory},
                               {"api", api_endpoint ? api_endpoint->to_string() : "off"},
                               {"threads", runtime->size()}});
  return {};
}

Result<void> Engine::Parts::start_store() {
  if (auto made = config::ensure_private_directory(config.data.directory); !made) return made;
  auto opened = store::SqliteStore::open(store_options(config, clock));
  if (!opened) return fail(std::move(opened.error()));
  store = std::move(*opened);
  on_stop([this](SteadyInstant) {
    store->close();
    return true;
  });
  return release_old_leases();
}

// Nobody else can hold a lease on a store with one user: what is there is of a run that died. It
// had as many as fit into its memory.
Result<void> Engine::Parts::release_old_leases() {
  constexpr std::int64_t kSlice = 1'000;
  std::int64_t all = 0;
  while (true) {
    const auto released = store->write_and_wait(
        store::WritePriority::claims, [this](store::WriteTransaction& transaction) {
          return transaction.release_leases_of_others(holder, clock.now(), kSlice);
        });
    if (!released) return fail("releasing old leases", released.error());
    all += *released;
    if (*released < kSlice) break;
  }
  if (all > 0) log::info("leases of an earlier run released", {{"batches", all}});
  return {};
}

Result<void> Engine::Parts::start_secrets() {
  auto opened = open_vault(
      {.master_key_file = config.secrets.master_key_file, .master_key = config.secrets.master_key},
      *store);
  if (!opened) return fail(std::move(opened.error()));
  box.emplace(std::move(*opened));
  const auto read = instance_secret(*box, *store);
  if (!read) return fail(read.error());
  secret = *read;
  key_ring.emplace(*box);
  const auto keys = store->read_and_wait(
      [](store::ReadTransaction& transaction) { return transaction.dkim_keys(); });
  if (!keys) return fail(keys.error());
  return key_ring->load(*keys);
}

Result<void> Engine::Parts::start_runtime() {
  auto loaded = config::load_site_rules(options.loaded);
  if (!loaded) return fail(std::move(loaded.error()));
  rules = std::move(*loaded);
  runtime = std::make_unique<async::Runtime>(thread_count(config));
  runtime->start();
  on_stop([this](SteadyInstant) {
    runtime->join();
    return true;
  });
  return {};
}

Result<void> Engine::Parts::start_dns() {
  auto made =
      dns::UnboundResolver::create(resolver_options(config), runtime->executor(0), clock, metrics);
  if (!made) return fail("the DNS resolver", std::move(made.error()));
  resolver = std::move(*made);
  on_stop([this](SteadyInstant) {
    wait_for(resolver->stop());
    return true;
  });
  dns::RouteOptions route = route_options(config);
  route.site_naming = [this](std::string_view domain, std::span<const std::string_view> hosts) {
    const auto* site = rules.find(domain, hosts);
    return site == nullptr ? std::nullopt : std::optional(site->name);
  };
  routes.emplace(*resolver, std::move(route), dns::RouteCache::Options{}, clock, metrics);
  return {};
}

Result<void> Engine::Parts::make_delivery() {
  auto tls = net::TlsClientContext::create({.ca_file = config.smtp_out.tls_ca_file});
  if (!tls) return fail("TLS to receivers (smtp_out.tls_ca_file)", std::move(tls.error()));
  queues.emplace(queue::MemoryQueue::Options{}, clock);
  delivering = std::make_unique<Delivering>(*runtime, *store, *queues, *routes, *key_ring, rules,
                                            delivery_options(config, secret), holder, clock,
                                            metrics, std::move(*tls));
  return {};
}

Result<void> Engine::Parts::start_delivery() {
  if (delivers()) {
    delivering->start();
    on_stop([this](SteadyInstant deadline) { return wait_for(delivering->stop(deadline)); });
  }
  housekeeping = std::make_unique<Housekeeping>(*store, runtime->executor(0));
  housekeeping->start();
  on_stop([this](SteadyInstant) {
    wait_for(housekeeping->stop());
    return true;
  });
  return {};
}

Result<void> Engine::Parts::start_intake() {
  const intake::Limits limits = intake_limits(config);
  intake = std::make_unique<intake::Intake>(*store, clock, limits, *delivering, metrics);
  importer =
      std::make_unique<intake::Importer>(*store, clock, limits, config.data.directory, *delivering);
  intake->set_import_starter(*importer);
  auto begun = importer->start_thread();
  if (!begun) return fail("going on with imports", std::move(begun.error()));
  on_stop([this](SteadyInstant) {
    importer->stop();
    return true;
  });
  return {};
}

Result<void> Engine::Parts::make_operations() {
  std::vector<ops::Check> checks = {ops::store_check(*store, clock)};
  if (delivers()) {
    checks.push_back({"dns", [this, name = delivery_options(config, secret).return_path_domain] {
                        return probe_dns(*resolver, name);
                      }});
  }
  readiness.emplace(clock, std::move(checks));
  collected.emplace(metrics, *store, clock);
  collect_delivery();
  const delivery::Options delivery = delivery_options(config, secret);
  operations.emplace(
      *store, clock,
      operate::Operations::Options{
          .version = std::string(version()),
          .data_directory = config.data.directory,
          .transactional_expiry = delivery.retry_transactional.life_time,
          .bulk_expiry = delivery.retry_bulk.life_time,
          .describe_engine = [this](operate::EngineStatus& status) { describe(status); },
          .drain = options.drain_asked,
          .secret_box = [this]() -> Result<const SecretBox*> { return &*box; },
          .dkim_keys_changed =
              [this](const std::vector<store::DkimKey>& keys) { return key_ring->load(keys); },
      });
  return {};
}

Result<void> Engine::Parts::start_admin() {
  http::Router router;
  api::admin::add_routes(router, *operations);
  ops::add_health_routes(router, *readiness);
  ops::add_metrics_route(router, metrics, *collected, false);
  http::ServerOptions server_options;
  server_options.failure_responder = api::admin::failure_response;
  admin_server = make_server("admin", std::move(router), server_options);
  const std::string path = admin_socket_path(config);
  auto listening = wait_for(admin_server->listen_unix(path));
  if (!listening) return fail("the admin socket " + path, std::move(listening.error()));
  on_stop([this](SteadyInstant) {
    wait_for(admin_server->stop(kAdminGrace));
    return true;
  });
  return {};
}

Result<void> Engine::Parts::start_metrics_listener() {
  if (config.metrics.listen.empty()) return {};
  http::Router router;
  ops::add_health_routes(router, *readiness);
  ops::add_metrics_route(router, metrics, *collected, false);
  metrics_server = make_server("metrics", std::move(router), {});
  auto listening = wait_for(metrics_server->listen(*net::Endpoint::parse(config.metrics.listen)));
  if (!listening) return fail("metrics.listen", std::move(listening.error()));
  metrics_endpoint = *listening;
  on_stop([this](SteadyInstant) {
    wait_for(metrics_server->stop(kAdminGrace));
    return true;
  });
  return {};
}

Result<void> Engine::Parts::start_api() {
  if (!has_role(config, "api")) return {};
  auto tls = api_tls();
  if (!tls) return fail(std::move(tls.error()));
  api = std::make_unique<api::Api>(*store, *intake, clock, metrics, api_options(config));
  http::Router router;
  api->add_routes(router);
  ops::add_health_routes(router, *readiness);
  if (!metrics_endpoint) ops::add_metrics_route(router, metrics, *collected, true);
  http::ServerOptions server_options = app::server_options(config);
  server_options.failure_responder = api::container_failure;
  api_server = make_server("api", std::move(router), std::move(server_options));
  auto listening = wait_for(api_server->listen(*net::Endpoint::parse(config.api.listen), *tls));
  if (!listening) return fail("api.listen", std::move(listening.error()));
  {
    const std::lock_guard lock(endpoint_mutex);
    api_endpoint = *listening;
  }
  on_stop([this](SteadyInstant deadline) {
    wait_for(api_server->stop(std::min(kRequestGrace, until(deadline, clock) / 2)));
    return true;
  });
  return {};
}

// ---- helpers -----------------------------------------------------------------------------------

std::vector<async::Executor> Engine::Parts::executors() const {
  std::vector<async::Executor> all;
  for (std::size_t i = 0; i < runtime->size(); ++i) all.push_back(runtime->executor(i));
  return all;
}

std::unique_ptr<http::Server> Engine::Parts::make_server(std::string_view name, http::Router router,
                                                         http::ServerOptions server_options) {
  server_options.observer = ops::exchange_counter(metrics, std::string(name));
  auto server = std::make_unique<http::Server>(executors(), clock, std::move(router),
                                               std::move(server_options));
  collected->add_server(name, *server);
  return server;
}

Result<std::shared_ptr<const net::TlsServerContext>> Engine::Parts::api_tls() const {
  if (config.api.tls_certificate_file.empty()) return nullptr;
  const auto identity =
      net::read_identity(config.api.tls_certificate_file, config.api.tls_private_key_file);
  if (!identity) return fail("the API's certificate", identity.error());
  auto context = net::TlsServerContext::create(*identity);
  if (!context) return fail("the API's certificate", std::move(context.error()));
  return *context;
}

void Engine::Parts::describe(operate::EngineStatus& status) const {
  status.draining = readiness->draining();
  status.pid = ::getpid();
  status.started = started;
  status.roles = config.engine.roles;
  const std::lock_guard lock(endpoint_mutex);
  if (!config.api.public_url.empty()) {
    status.api = config.api.public_url;
  } else if (api_endpoint) {
    status.api = fmt::format("{}://{}", config.api.tls_certificate_file.empty() ? "http" : "https",
                             api_endpoint->to_string());
  }
}

void Engine::Parts::collect_delivery() {
  constexpr std::string_view kLanes = "todoku_lanes";
  constexpr std::string_view kLanesHelp =
      "Lanes (site and sending address) by state: open ones have connections, waiting ones only "
      "mail, resting ones pause after failures.";
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
      .set(static_cast<double>(config.delivery.unrecorded_max));
  collected->add([this, &open, &waiting, &resting, &unrecorded, &peak] {
    double counts[3] = {0, 0, 0};
    for (const auto& lane : delivering->lanes()) {
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
    unrecorded.set(static_cast<double>(delivering->recorder().unrecorded()));
    peak.set(static_cast<double>(delivering->recorder().unrecorded_peak()));
  });
}

bool Engine::Parts::stop_all(Milliseconds grace) {
  if (readiness) readiness->start_draining();
  const SteadyInstant deadline = clock.steady_now() + grace;
  bool clean = true;
  while (!running.empty()) {
    clean = running.back()(deadline) && clean;
    running.pop_back();
  }
  return clean;
}

// ---- the engine --------------------------------------------------------------------------------

Engine::Engine(Options options) : parts_(std::make_unique<Parts>(std::move(options))) {}

Engine::~Engine() {
  (void)parts_->stop_all(0ms);
}

Result<void> Engine::start() {
  return parts_->start_all();
}

bool Engine::stop(Milliseconds grace) {
  return parts_->stop_all(grace);
}

std::optional<net::Endpoint> Engine::api_endpoint() const {
  return parts_->api_endpoint;
}

std::optional<net::Endpoint> Engine::metrics_endpoint() const {
  return parts_->metrics_endpoint;
}

std::string Engine::admin_socket() const {
  return admin_socket_path(parts_->config);
}

Metrics& Engine::metrics() {
  return parts_->metrics;
}

}  // namespace todoku::app
