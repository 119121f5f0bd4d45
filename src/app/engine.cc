// SPDX-License-Identifier: Apache-2.0
#include "app/engine.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "api/admin/routes.h"
#include "app/age.h"
#include "app/alarming.h"
#include "app/change_watch.h"
#include "app/credential_watching.h"
#include "app/hold.h"
#include "app/host_check.h"
#include "app/key_options.h"
#include "app/key_ring.h"
#include "app/module_options.h"
#include "app/open_files.h"
#include "app/outbound_calls.h"
#include "app/own_mail.h"
#include "app/people_house.h"
#include "app/people_mail.h"
#include "app/preflight_names.h"
#include "app/probing.h"
#include "app/proof_names.h"
#include "app/roles/api.h"
#include "app/roles/courier.h"
#include "app/roles/door.h"
#include "app/roles/events.h"
#include "app/roles/ground.h"
#include "app/roles/inbound.h"
#include "app/roles/scheduler.h"
#include "app/roles/shared.h"
#include "app/roles/smtp_in.h"
#include "app/running.h"
#include "app/sending_platform.h"
#include "app/store_house.h"
#include "app/unless_refused.h"
#include "app/vault.h"
#include "app/version.h"
#include "async/file_pool.h"
#include "async/pulse.h"
#include "async/runtime.h"
#include "base/digest.h"
#include "base/log.h"
#include "config/site_rules.h"
#include "delivery/node.h"
#include "explain/advice_book.h"
#include "feedback/classify/reply_rules.h"
#include "http/server.h"
#include "operate/operations.h"
#include "ops/collected.h"
#include "ops/emf_reporter.h"
#include "ops/health.h"
#include "store/walks.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kAdminGrace = 1s;

// The admin socket and the metrics' listener have files of their own, whatever comes over the API:
// half of `operators` each.
http::ServerOptions operators_options() {
  http::ServerOptions options;
  options.connections_max = 20;
  options.refusals_max = 4;
  return options;
}

// Without its lease a process sends nothing.
Task<Result<void>> probe_lease(const delivery::Node& node) {
  if (node.holds()) co_return Result<void>{};
  co_return fail(ErrorKind::unavailable,
                 "this process does not hold its lease of the store, and sends nothing");
}

// Of the same store as long as it lives, and of copies of it.
std::string store_id(const InstanceSecret& secret) {
  const std::string_view octets(reinterpret_cast<const char*>(secret.data()), secret.size());
  return sha256_hex(fmt::format("whose store is shipped: {}", octets));
}

}  // namespace

struct Engine::Parts {
  explicit Parts(Options given) : options(std::move(given)) {}

  // -- starting, in this order; stopping is in reverse
  Result<void> check_host();
  Result<void> divide_files();
  Result<void> start_store();
  Result<void> start_shipping();
  Result<void> hold();
  Result<void> start_secrets();
  Result<void> read_secrets();
  Result<void> start_runtime();
  Result<void> enter_store();
  Result<void> make_roles();
  Result<void> make_operations();
  Result<void> start_admin();
  Result<void> start_metrics_listener();
  Result<void> start_following();
  Result<void> start_roles();
  void start_ageing();
  void warn_of_differences();
  Result<void> start_figures();
  Result<void> start_all();
  bool stop_all(Milliseconds grace);
  [[nodiscard]] std::uint64_t mails_in_doubt();
  void leave_word(std::uint64_t in_doubt);

  // -- helpers
  [[nodiscard]] Task<Result<ChangeWatch::Take>> read_keys();
  [[nodiscard]] StoreHouse::Start how_to_start();
  // A step that asks the store, as long as that is waited for.
  [[nodiscard]] Result<void> patiently(const std::function<Result<void>()>& step);
  [[nodiscard]] http::Router health_routes();
  void add_role(std::unique_ptr<roles::Role> role);
  void open_door(roles::Door::Beside beside);
  [[nodiscard]] operate::Operations::Options operation_options();
  [[nodiscard]] std::function<Result<const SecretBox*>()> open_box() {
    return [this]() -> Result<const SecretBox*> { return &*box; };
  }
  void describe(operate::EngineStatus& status) const;
  [[nodiscard]] std::optional<explain::Way> way_of(const store::Story& story) const;
  [[nodiscard]] std::string site_of(std::string_view domain) const;
  [[nodiscard]] operate::Lockouts* lockouts() const;
  [[nodiscard]] Task<Result<std::size_t>> import_reports(std::string octets);
  template <class T>
  T wait_for(Task<T> task) {
    return ground->wait_for(std::move(task));
  }

  Options options;
  const config::Config& config = options.loaded.config;
  const Clock& clock = *options.clock;
  const Instant started = options.clock->now();
  Metrics metrics;
  std::atomic<Instant> drains_until{Instant{}};  // the epoch: it does not drain

  FilesDivision files;
  std::unique_ptr<StoreHouse> house = StoreHouse::of(config, clock);
  std::unique_ptr<store::Store> store;
  std::optional<SecretBox> box;
  InstanceSecret secret{};
  std::optional<StoredKeyRing> key_ring;
  delivery::policy::SiteRules rules;
  std::unique_ptr<async::Runtime> runtime;
  std::optional<async::Pulse> pulse;  // of its threads
  std::optional<async::FilePool> file_pool;
  std::optional<async::FilePool> operators_pool;  // for figures, whatever waits at the other
  std::optional<ops::Readiness> readiness;
  std::optional<ops::CollectedMetrics> collected;
  std::optional<ChangeWatch> changes;
  std::optional<delivery::Node> node;
  std::unique_ptr<intake::Uploads> uploads;
  std::unique_ptr<ProofNames> proof_names;
  std::unique_ptr<PreflightNames> preflight_names;  // nullptr: this process has no API
  std::unique_ptr<OutboundCalls> outbound;
  std::optional<Ageing> ageing;
  std::unique_ptr<alarms::Alarmer> alarmer;  // nullptr: nobody is told
  std::optional<roles::Ground> ground;
  std::optional<CredentialWatching> watching;  // of who relays, or sends what was relayed
  std::unique_ptr<roles::Shared> shared;
  std::optional<roles::Door> door;
  std::optional<PeopleMail> people_mail;            // where the console is
  std::optional<PeopleHouse> people;                // not before the store is open
  std::vector<std::unique_ptr<roles::Role>> roles;  // in the order of their start
  roles::ApiRole* api = nullptr;                    // one of them
  std::optional<operate::Operations> operations;
  std::optional<ops::EmfReporter> emf;
  std::unique_ptr<http::Server> admin_server;
  std::unique_ptr<http::Server> metrics_server;
  std::optional<net::Endpoint> metrics_endpoint;
  Running running;        // what roles stand on
  Running roles_running;  // stopped first: operators may look on while they drain
};

// ---- starting ----------------------------------------------------------------------------------

Result<void> Engine::Parts::start_all() {
  using Step = Result<void> (Parts::*)();
  for (const Step step :
       {&Parts::divide_files, &Parts::start_store, &Parts::hold, &Parts::check_host,
        &Parts::start_secrets, &Parts::start_runtime, &Parts::start_shipping, &Parts::enter_store,
        &Parts::make_roles, &Parts::make_operations, &Parts::start_admin,
        &Parts::start_metrics_listener, &Parts::start_following, &Parts::start_roles,
        &Parts::start_figures}) {
    auto done = unless_refused([&] { return (this->*step)(); });
    if (done) continue;
    (void)stop_all(0ms);
    return done;
  }
  readiness->started();
  const auto api_at = api == nullptr ? std::nullopt : api->endpoint();
  log::info("engine started", {{"version", version()},
                               {"data", config.data.directory},
                               {"store", house->place()},
                               {"api", api_at ? api_at->to_string() : "off"},
                               {"threads", runtime->size()}});
  return {};
}

// With the store, which only one engine has, so that a second one is told of that, and before
// anything begins: nobody is to be sent mail by an engine that cannot be asked about it.
Result<void> Engine::Parts::check_host() {
  const auto problems = host_problems(config);
  if (problems.empty()) return {};
  return fail(ErrorKind::invalid_input, fmt::format("{}", fmt::join(problems, "; ")));
}

Result<void> Engine::Parts::divide_files() {
  const auto division = files_division(files_limit().now, files_wanted(config));
  if (!division) return fail(division.error());
  files = *division;
  log::info("open files divided", {{"limit", files.limit},
                                   {"store", files.store},
                                   {"operators", files.operators},
                                   {"uploads", files.uploads},
                                   {"dns", files.dns},
                                   {"preflight", files.preflight},
                                   {"calls", files.calls},
                                   {"api_connections", files.api},
                                   {"smtp_connections", files.smtp}});
  return {};
}

StoreHouse::Start Engine::Parts::how_to_start() {
  return {.begin_new = options.begin_new,
          .ready = [this] { return check_host(); },
          .given_up = options.given_up};
}

Result<void> Engine::Parts::patiently(const std::function<Result<void>()>& step) {
  while (true) {
    auto done = step();
    if (done || !house->tries_again(how_to_start(), done.error())) return done;
  }
}

Result<void> Engine::Parts::start_store() {
  auto opened = house->open(how_to_start());
  if (!opened) return fail(std::move(opened.error()));
  store = std::move(*opened);
  running.add([this](SteadyInstant) {
    house->rest_shipping();  // a copy that reads would keep the store from tidying up
    store->close();
    house->end_shipping();
    return true;
  });
  return {};
}

// After the HOLD: a copy is not to be shipped over what it is a copy of.
Result<void> Engine::Parts::start_shipping() {
  collected->add([this] { house->show_shipping(); });
  return house->begin_shipping(metrics, store_id(secret));
}

// Before anything is written: the store may be a copy, or not ours at all.
Result<void> Engine::Parts::hold() {
  return patiently([this] {
    return Hold({.config = config,
                 .clock = clock,
                 .store = *store,
                 .given_up = options.given_up,
                 .drain_asked = options.drain_asked})
        .wait();
  });
}

Result<void> Engine::Parts::start_secrets() {
  return patiently([this] { return read_secrets(); });
}

Result<void> Engine::Parts::read_secrets() {
  auto opened = open_vault(vault_options(config), *store);
  if (!opened) return fail(std::move(opened.error()));
  if (!box) box.emplace(std::move(*opened));
  const auto read = instance_secret(*box, *store);
  if (!read) return fail(read.error());
  secret = *read;
  if (!key_ring) key_ring.emplace(*box);
  return {};
}

Result<void> Engine::Parts::start_runtime() {
  auto loaded = config::load_site_rules(options.loaded);
  if (!loaded) return fail(std::move(loaded.error()));
  rules = std::move(*loaded);
  auto replies = config::load_reply_rules(options.loaded, rules);
  if (!replies) return fail(std::move(replies.error()));
  feedback::classify::put_in_force(*std::move(replies));
  auto automations = config::load_automations(options.loaded, rules);
  if (!automations) return fail(std::move(automations.error()));
  delivery::policy::put_in_force(*std::move(automations));
  auto advice = config::load_advice(options.loaded, rules);
  if (!advice) return fail(std::move(advice.error()));
  explain::put_in_force(*std::move(advice));
  runtime = std::make_unique<async::Runtime>(thread_count(config));
  std::vector<async::Executor> executors;
  for (std::size_t i = 0; i < runtime->size(); ++i) executors.push_back(runtime->executor(i));
  pulse.emplace(clock, std::move(executors));
  runtime->start();
  running.add([this](SteadyInstant) {
    runtime->join();
    return true;
  });
  file_pool.emplace(async::FilePool::Options{});
  running.add([this](SteadyInstant) {
    file_pool->stop();
    return true;
  });
  operators_pool.emplace(async::FilePool::Options{.threads = 1});
  running.add([this](SteadyInstant) {
    operators_pool->stop();
    return true;
  });
  if ((alarmer = make_alarmer(config, clock, metrics, *runtime))) {
    alarmer->start();
    running.add([this](SteadyInstant) {
      wait_for(alarmer->stop());
      return true;
    });
  }
  readiness.emplace(clock, std::vector{ops::store_check(*store, clock)});
  readiness->alive_while([this] { return pulse->problem(); });
  collected.emplace(metrics, *store, *operators_pool, clock);
  if (files.calls > 0) {
    auto calls = OutboundCalls::make(config, files.calls, runtime->executor(0), clock, metrics);
    if (!calls) return fail(std::move(calls.error()));
    outbound = std::move(*calls);
    running.add([this](SteadyInstant) {
      wait_for(outbound->stop());
      return true;
    });
  }
  changes.emplace(*store, clock, runtime->executor(0));
  changes->follow(store::Topic::dkim_keys, [this] { return read_keys(); });
  key_ring->set_look([this] { return changes->look(); });
  return {};
}

// Before the roles: what they hold hangs on this process's lease. Whatever an earlier run had in
// hand is offered again by the scheduler, because this one takes its name.
Result<void> Engine::Parts::enter_store() {
  auto who = house->node();
  if (!who) return fail(std::move(who.error()));
  who->roles = fmt::format("{} on {}", fmt::join(config.engine.roles, ","), host_name());
  who->version = version();
  if (is_cluster(config)) who->settings = operate::to_text(agreed_settings(config, rules));
  node.emplace(*store, clock, std::move(*who), metrics, runtime->executor(0));
  uploads = house->uploads(*store, [this] { return node->key(); });
  ground.emplace(roles::Ground{.config = config,
                               .clock = clock,
                               .metrics = metrics,
                               .store = *store,
                               .node = *node,
                               .secret = secret,
                               .box = *box,
                               .keys = *key_ring,
                               .rules = rules,
                               .runtime = *runtime,
                               .files = files,
                               .file_pool = *file_pool,
                               .uploads = *uploads,
                               .outbound = outbound.get(),
                               .readiness = *readiness,
                               .collected = *collected,
                               .changes = *changes});
  const auto entered = patiently([this] { return wait_for(node->enter(options.given_up)); });
  if (!entered) return fail(house->place(), entered.error());
  if (config.store.kind != "postgres") start_ageing();
  node->start();
  readiness->add({"lease", [this] { return probe_lease(*node); }});
  running.add([this](SteadyInstant) {
    wait_for(node->stop());
    wait_for(node->leave());
    return true;
  });
  // Of two that began a store at the same moment one has entered, and goes by what is stored.
  if (auto read = start_secrets(); !read) return read;
  return wait_for(changes->look());
}

Task<Result<ChangeWatch::Take>> Engine::Parts::read_keys() {
  store::DkimList keys;
  const auto walked = co_await store::walk(*store, keys);
  if (!walked) co_return fail(walked.error());
  co_return ChangeWatch::Take([this, list = keys.take()] { return key_ring->load(list); });
}

void Engine::Parts::add_role(std::unique_ptr<roles::Role> role) {
  // Also when the process does not come to start it.
  roles_running.add([&made = *role](SteadyInstant deadline) { return made.stop(deadline); });
  roles.push_back(std::move(role));
}

// Closes after the roles that come to it.
void Engine::Parts::open_door(roles::Door::Beside beside) {
  door.emplace(*ground, *shared, std::move(beside));
  roles_running.add([this](SteadyInstant deadline) {
    door->stop(deadline);
    return true;
  });
}

// Delivery first: doors open when there is somebody to hand over to, and close before. The
// scheduler rings no more when couriers end.
Result<void> Engine::Parts::make_roles() {
  auto names = ProofNames::make(config, runtime->executor(0), clock, metrics);
  if (!names) return fail(std::move(names.error()));
  proof_names = std::move(*names);
  auto made_shared = roles::Shared::make(*ground);
  if (!made_shared) return fail(std::move(made_shared.error()));
  shared = std::move(*made_shared);
  roles_running.add([this](SteadyInstant deadline) {
    shared->stop(deadline);
    return true;
  });
  people.emplace(PeopleHouse::Ground{
      .config = config, .store = *store, .clock = clock, .secret_box = open_box()});
  operations.emplace(*store, store->clock(), operation_options());
  const bool is_relay = has_role(config, "smtp-in") && config::smtp_in_listens(config);
  if (is_relay || has_role(config, "courier")) {
    watching.emplace(*ground);
    roles_running.add([this](SteadyInstant deadline) { return watching->stop(deadline); });
  }
  roles::Door::Beside beside;
  if (has_role(config, "courier")) {
    auto courier = roles::CourierRole::make(*ground, *shared);
    if (!courier) return fail(std::move(courier.error()));
    beside.sending = &(*courier)->sending();
    beside.sending->tell_of_relayed(*watching);
    add_role(std::move(*courier));
  }
  if (has_role(config, "scheduler")) {
    auto scheduler = std::make_unique<roles::SchedulerRole>(*ground, *shared);
    beside.wake_scheduler = [role = scheduler.get()] { role->wake(); };
    add_role(std::move(scheduler));
  }
  if (has_role(config, "events")) {
    auto events = std::make_unique<roles::EventsRole>(*ground, beside.wake_scheduler, *proof_names);
    beside.imports = &events->imports();
    add_role(std::move(events));
  }
  if (has_role(config, "api") || is_relay) open_door(std::move(beside));
  if (is_relay) {
    auto relay = roles::SmtpInRole::make(*ground, *door, watching->watch());
    if (!relay) return fail(std::move(relay.error()));
    add_role(std::move(*relay));
  }
  if (has_role(config, "inbound") && config::inbound_listens(config)) {
    auto inbound = roles::InboundRole::make(
        *ground, [this](std::string octets) { return import_reports(std::move(octets)); });
    if (!inbound) return fail(std::move(inbound.error()));
    add_role(std::move(*inbound));
  }
  if (has_role(config, "api")) {
    auto resolving =
        PreflightNames::make(config, files.preflight, runtime->executor(0), clock, metrics);
    if (!resolving) return fail(std::move(resolving.error()));
    preflight_names = std::move(*resolving);
    if (has_console(config)) {
      people_mail.emplace(config, *store, door->intake());
      people->mail_by(*people_mail);
    }
    auto made = std::make_unique<roles::ApiRole>(
        *ground, *door,
        roles::ApiRole::Beside{.operations = &*operations,
                               .names = preflight_names.get(),
                               .people = has_console(config) ? &*people : nullptr});
    api = made.get();
    add_role(std::move(made));
  }
  // Before the roles, which would wait for names that nobody answers about.
  roles_running.add([this](SteadyInstant) {
    wait_for(proof_names->stop());
    if (preflight_names) wait_for(preflight_names->stop());
    return true;
  });
  // First of all: while one role finishes what it has in hand, others begin nothing.
  roles_running.add([this](SteadyInstant) {
    for (const auto& role : roles) role->begin_stop();
    return true;
  });
  return {};
}

Result<void> Engine::Parts::start_roles() {
  running.add([this](SteadyInstant) {
    for (const auto& role : roles) role->leave();
    return true;
  });
  auto shared_begun = shared->start();
  if (!shared_begun) return shared_begun;
  if (watching) watching->start();
  for (const auto& role : roles) {
    auto begun = role->start();
    if (!begun) return begun;
    log::debug("role started", {{"role", role->name()}});
  }
  warn_of_differences();
  return store->write_and_wait(store::WritePriority::accept,
                               [here = cluster_names(config)](store::WriteTransaction& change) {
                                 return operate::remember_names(change, here);
                               });
}

void Engine::Parts::start_ageing() {
  ageing.emplace(*store, *file_pool, clock, runtime->executor(0), database_path(config).string());
  ageing->start();
  running.add([this](SteadyInstant) {
    wait_for(ageing->stop());
    return true;
  });
}

// Whoever comes later looks in his turn; `todoku status` tells at any time.
void Engine::Parts::warn_of_differences() {
  const auto nodes =
      store->read_and_wait([](store::ReadTransaction& reader) { return reader.nodes(); });
  if (!nodes) {
    log::warning("whether all processes are configured alike is not known",
                 {{"reason", nodes.error().detail}});
    return;
  }
  for (const operate::Difference& difference : operate::differences(*nodes)) {
    log::warning("processes are not configured alike",
                 {{"what", operate::to_sentence(difference, Language::english)}});
  }
}

// Once the roles are made: they say what they keep.
Result<void> Engine::Parts::start_following() {
  changes->start();
  running.add([this](SteadyInstant) {
    wait_for(changes->stop());
    return true;
  });
  return {};
}

// After the roles, of which it tells, and until they have stopped.
Result<void> Engine::Parts::start_figures() {
  if (!config.metrics.emf) return {};
  emf.emplace(ops::EmfReporter::Options{.name_space = config.metrics.emf_namespace,
                                        .roles = config.engine.roles,
                                        .write =
                                            [](std::string line) {
                                              return ops::write_whole_line(STDOUT_FILENO,
                                                                           std::move(line));
                                            }},
              metrics, *collected, clock, runtime->executor(0));
  emf->start();
  running.add([this](SteadyInstant) {
    wait_for(emf->stop());
    return true;
  });
  return {};
}

http::Router Engine::Parts::health_routes() {
  http::Router router;
  ops::add_health_routes(router, *readiness);
  ops::add_metrics_route(router, metrics, *collected, false);
  return router;
}

Result<void> Engine::Parts::make_operations() {
  http::Router router = health_routes();
  api::admin::add_routes(router, *operations);
  http::ServerOptions server_options = operators_options();
  server_options.failure_responder = api::admin::failure_response;
  // Who asks here is on this machine and begins at once. Whoever does not, however many they are,
  // must not keep an operator out: a newcomer gets the place of the one that has waited longest.
  server_options.displaced_after = 50ms;
  server_options.head_timeout = 5s;
  server_options.idle_timeout = 10s;
  admin_server = roles::make_server(*ground, "admin", std::move(router), server_options);
  if (!config.metrics.listen.empty()) {
    metrics_server = roles::make_server(*ground, "metrics", health_routes(), operators_options());
  }
  return {};
}

Result<void> Engine::Parts::start_admin() {
  const std::string path = admin_socket_path(config);
  auto listening = wait_for(admin_server->listen_unix(path));
  if (!listening) return fail("the admin socket " + path, std::move(listening.error()));
  running.add([this](SteadyInstant) {
    wait_for(admin_server->stop(kAdminGrace));
    return true;
  });
  return {};
}

Result<void> Engine::Parts::start_metrics_listener() {
  if (metrics_server == nullptr) return {};
  auto listening = wait_for(metrics_server->listen(*net::Endpoint::parse(config.metrics.listen)));
  if (!listening) return fail("metrics.listen", std::move(listening.error()));
  metrics_endpoint = *listening;
  running.add([this](SteadyInstant) {
    wait_for(metrics_server->stop(kAdminGrace));
    return true;
  });
  return {};
}

// ---- helpers -----------------------------------------------------------------------------------

operate::Operations::Options Engine::Parts::operation_options() {
  const delivery::Options delivery = delivery_options(config, secret);
  return {
      .version = std::string(version()),
      .data_directory = config.data.directory,
      .transactional_expiry = delivery.retry_transactional.life_time,
      .bulk_expiry = delivery.retry_bulk.life_time,
      .describe_engine = [this](operate::EngineStatus& status) { describe(status); },
      .way_of = [this](const store::Story& story) { return way_of(story); },
      .copy_of = [this](std::string_view id) { return copy_named_by(id, secret); },
      .engines_elsewhere = {},
      .names = cluster_names(config),
      .journal_folder = config.journal.directory,
      .drain = options.drain_asked,
      .secret_box = open_box(),
      .look_up_texts =
          [this](std::string name) { return proof_names->texts(std::move(name), true); },
      .lockouts = [this] { return lockouts(); },
      .site_of = [this](std::string_view domain) { return site_of(domain); },
      .platform = sending_platform(config),
      .report_days = config.retention.report_days,
      .checks_domains = checks_domains(config),
      .platform_zone = platform_zone(config),
      .slot_pace = slot_pace(config),
      .probes = probe_plan(config),
      .sources = configured_sources(config),
      .files = &*file_pool,
      // Made before anything is counted, so that the first one is seen as a rise.
      .own_mail_failing =
          [&counter = metrics.counter(
               "todoku_own_mail_failing_total",
               "Days of domains of which receivers reported that mail from our own "
               "addresses fails DMARC.")](const operate::OwnMailFailing&) { counter.add(); },
      .people = [this]() -> people::People* { return &people->people(); },
      .console_url = [this] { return people->public_url(); },
      .closed_account = config.console.mail_account,
      .changed = [this] { return changes->look(); },
  };
}

void Engine::Parts::describe(operate::EngineStatus& status) const {
  status.draining = readiness->draining();
  if (const Instant until = drains_until; until != Instant{}) status.drains_until = until;
  status.pid = ::getpid();
  status.started = started;
  status.roles = config.engine.roles;
  status.shipping = house->shipping_trouble();
  for (const auto& role : roles) role->describe(status);
}

std::optional<explain::Way> Engine::Parts::way_of(const store::Story& story) const {
  for (const auto& role : roles) {
    if (auto way = role->way_of(story)) return way;
  }
  return std::nullopt;
}

std::string Engine::Parts::site_of(std::string_view domain) const {
  for (const auto& role : roles) {
    if (std::string site = role->site_of(domain); !site.empty()) return site;
  }
  return std::string(domain);
}

operate::Lockouts* Engine::Parts::lockouts() const {
  for (const auto& role : roles) {
    if (operate::Lockouts* const here = role->lockouts(); here != nullptr) return here;
  }
  return nullptr;
}

// Of a mail that came in; how many it carries.
Task<Result<std::size_t>> Engine::Parts::import_reports(std::string octets) {
  const auto imported = co_await operations->import_reports(
      "", {.name = "a mail that came in", .octets = std::move(octets)});
  if (!imported) co_return fail(imported.error());
  co_return imported->reports.size() -
      static_cast<std::size_t>(imported->count(operate::ImportedReport::Outcome::refused));
}

// So far, of mails that were out and had no answer.
std::uint64_t Engine::Parts::mails_in_doubt() {
  std::uint64_t mails = 0;
  for (const Cause cause : {Cause::in_doubt, Cause::garbled_in_doubt}) {
    mails += metrics
                 .counter("todoku_failures_total", "Outcomes other than a 250, by cause.",
                          {{"cause", to_string(cause)}})
                 .value();
  }
  return mails;
}

// Who asked for the drain reads it when the process has gone (operate/drained.h).
void Engine::Parts::leave_word(std::uint64_t in_doubt) {
  log::info("drained", {{"mails_in_doubt", in_doubt}});
  const operate::Drained drained{.at = clock.now(),
                                 .in_doubt = static_cast<std::int64_t>(in_doubt)};
  const auto kept = store->write_and_wait(
      store::WritePriority::accept, [&drained](store::WriteTransaction& transaction) {
        return transaction.put_setting(operate::kDrainedSetting, operate::to_text(drained));
      });
  if (!kept) log::warning("how draining ended is not kept", {{"reason", kept.error().detail}});
}

bool Engine::Parts::stop_all(Milliseconds grace) {
  const bool drains = grace > 0ms && operations.has_value();
  if (drains) drains_until = clock.now() + grace;
  if (readiness) readiness->start_draining();
  const SteadyInstant deadline = clock.steady_now() + grace;
  const std::uint64_t in_doubt_before = drains ? mails_in_doubt() : 0;
  const bool roles_clean = roles_running.stop(deadline);
  if (drains) leave_word(mails_in_doubt() - in_doubt_before);
  return running.stop(deadline) && roles_clean;
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
  return parts_->api == nullptr ? std::nullopt : parts_->api->endpoint();
}

std::optional<net::Endpoint> Engine::metrics_endpoint() const {
  return parts_->metrics_endpoint;
}

std::string Engine::admin_socket() const {
  return admin_socket_path(parts_->config);
}

std::string Engine::fatal() const {
  return parts_->readiness ? parts_->readiness->fatal() : std::string();
}

Metrics& Engine::metrics() {
  return parts_->metrics;
}

}  // namespace todoku::app
