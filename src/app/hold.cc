// SPDX-License-Identifier: Apache-2.0
#include "app/hold.h"

#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "api/admin/routes.h"
#include "api/answers.h"
#include "app/age.h"
#include "app/data_folder.h"
#include "app/host_check.h"
#include "app/module_options.h"
#include "app/version.h"
#include "async/runtime.h"
#include "base/log.h"
#include "events/journal/segments.h"
#include "http/router.h"
#include "http/server.h"
#include "net/endpoint.h"
#include "operate/operations.h"
#include "ops/health.h"
#include "store/postgres/address.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kLookEvery = 1s;
constexpr Milliseconds kHeldPause = 100ms;
constexpr Milliseconds kSayEvery = 60s;
constexpr Milliseconds kFolderPatience = 10s;
constexpr std::size_t kHeldConnectionsMax = 100;

Task<http::Response> held_answer(intake::Text reason, const http::Request& request) {
  http::Response response = api::container_failure(503, reason, request);
  response.headers.set("Retry-After", "60");
  co_return response;
}

Task<Result<void>> held_probe(std::string reason) {
  co_return fail(ErrorKind::unavailable, std::move(reason));
}

// What it would prove decides whether anything is sent, so a folder that hangs (and does not fail)
// is waited for, and told of.
Result<events::journal::End> end_of_journal(const std::string& folder) {
  auto end = std::async(std::launch::async, [&folder] { return events::journal::end_of(folder); });
  while (end.wait_for(kFolderPatience) != std::future_status::ready) {
    log::error(
        "the journal's folder does not answer, and is waited for",
        {{"folder", folder},
         {"what_to_do", "mount it anew, or take journal.directory out of the configuration"}});
  }
  return end.get();
}

}  // namespace

operate::ClusterNames cluster_names(const config::Config& config) {
  operate::ClusterNames names;
  names.cluster = config.cluster.name;
  if (config.store.kind == "postgres") {
    names.database = store::postgres::address_name(config.postgres.address);
  } else {
    names.file = made_at(database_path(config).string());
    names.age = age_beside(database_path(config).string());
  }
  if (config.queue.kind == "sqs") {
    names.queue =
        fmt::format("sqs {} {} {}", config.sqs.region,
                    config.sqs.endpoint.empty() ? "-" : config.sqs.endpoint, config.sqs.prefix);
  }
  if (!config.journal.directory.empty()) {
    auto end = end_of_journal(config.journal.directory);
    if (end) {
      names.journal = end->number;
      names.journal_place = end->place;
      names.journal_store = std::move(end->store);
    } else {
      // Mail does not wait for it; what it would prove is not known.
      log::warning("whether the store is an older copy is not known",
                   {{"reason", end.error().detail}});
    }
  }
  return names;
}

Result<void> check_names(const config::Config& config, const operate::ReadSetting& setting) {
  const auto others = operate::read_other_names(setting, cluster_names(config));
  if (!others) return fail(others.error());
  if (others->empty()) return {};
  return fail(ErrorKind::conflict, operate::held_sentence(*others, Language::english));
}

// The API's listener and the admin socket, as long as the process holds.
class Hold::Doors {
 public:
  Doors(const Options& options, const std::vector<operate::OtherName>& others)
      : options_(options),
        reason_{operate::held_sentence(others, Language::english),
                operate::held_sentence(others, Language::japanese)},
        started_(options.clock.now()),
        runtime_(1),
        readiness_(options.clock, {{"hold", [reason = reason_.en] { return held_probe(reason); }}}),
        operations_(options.store, options.store.clock(), operation_options()) {
    runtime_.start();
    readiness_.started();
  }
  ~Doors() {
    for (const auto& server : servers_) wait_for(server->stop(1s));
    runtime_.join();
  }
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;

  Result<void> open() {
    http::Router router;
    ops::add_health_routes(router, readiness_);
    api::admin::add_routes(router, operations_, reason_.en);
    http::ServerOptions how;
    how.connections_max = 20;
    how.displaced_after = 50ms;
    how.failure_responder = api::admin::failure_response;
    const std::string socket = admin_socket_path(options_.config);
    auto listening = wait_for(add(std::move(router), how).listen_unix(socket));
    if (!listening) return fail("the admin socket " + socket, std::move(listening.error()));
    return has_role(options_.config, "api") ? open_api() : Result<void>();
  }

 private:
  http::Server& add(http::Router router, const http::ServerOptions& how) {
    servers_.push_back(std::make_unique<http::Server>(std::vector{runtime_.executor(0)},
                                                      options_.clock, std::move(router), how));
    return *servers_.back();
  }

  Result<void> open_api() {
    const auto tls = api_tls(options_.config.api);
    if (!tls) return fail(tls.error());
    http::Router router;
    ops::add_health_routes(router, readiness_);
    using http::Method;
    for (const Method method : {Method::get, Method::post, Method::put, Method::patch,
                                Method::delete_, Method::options, Method::other}) {
      // After the head: no body is wanted.
      router.add(
          method, "/{path...}", {.streaming = true},
          [this](http::Request& request, http::Body&) { return held_answer(reason_, request); });
    }
    http::ServerOptions how = server_options(options_.config);
    how.connections_max = std::min(how.connections_max, kHeldConnectionsMax);
    how.failure_responder = [](const http::Failure& failure, const http::Request& request) {
      return api::container_failure(failure, request);
    };
    const auto at = *net::Endpoint::parse(options_.config.api.listen);
    const auto listening = wait_for(add(std::move(router), how).listen(at, *tls));
    if (!listening) return fail("api.listen", listening.error());
    return {};
  }

  [[nodiscard]] operate::Operations::Options operation_options() {
    const delivery::Options delivery = delivery_options(options_.config, {});
    return {.version = std::string(version()),
            .data_directory = options_.config.data.directory,
            .transactional_expiry = delivery.retry_transactional.life_time,
            .bulk_expiry = delivery.retry_bulk.life_time,
            .describe_engine =
                [this](operate::EngineStatus& status) {
                  status.pid = ::getpid();
                  status.started = started_;
                  status.roles = options_.config.engine.roles;
                },
            .way_of = {},
            .copy_of = {},
            .engines_elsewhere = {},
            .names = cluster_names(options_.config),
            .journal_folder = options_.config.journal.directory,
            .drain = options_.drain_asked,
            .secret_box = []() -> Result<const SecretBox*> {
              return fail(ErrorKind::conflict, "this process is in HOLD");
            },
            .closed_account = options_.config.console.mail_account,
            .changed = {}};
  }

  template <class T>
  T wait_for(Task<T> task) {
    return boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future)
        .get();
  }

  const Options& options_;
  const intake::Text reason_;
  const Instant started_;
  async::Runtime runtime_;
  ops::Readiness readiness_;
  operate::Operations operations_;
  std::vector<std::unique_ptr<http::Server>> servers_;
};

Result<std::vector<operate::OtherName>> Hold::others() const {
  return options_.store.read_and_wait([this](store::ReadTransaction& transaction) {
    return operate::read_other_names(transaction, here_);
  });
}

Result<void> Hold::wait() {
  const auto first = others();
  if (!first) return fail(first.error());
  if (first->empty()) return {};
  Doors doors(options_, *first);
  if (auto opened = doors.open(); !opened) return opened;
  std::optional<Milliseconds> silent;
  for (Milliseconds waited(0);; waited += kHeldPause) {
    if (options_.given_up && options_.given_up()) {
      return fail(ErrorKind::cancelled, "the start was given up");
    }
    if (waited % kLookEvery == 0ms) {
      // A store that does not answer changes nothing.
      const auto now = others();
      if (now && now->empty()) break;
    }
    if (!silent || *silent >= kSayEvery) {
      silent = 0ms;
      log::error("HOLD: this process accepts nothing and sends nothing",
                 {{"reason", operate::to_sentence(*first, Language::english)},
                  {"what_to_do",
                   fmt::format("{}, or put right its configuration", operate::way_out(*first))}});
    }
    *silent += kHeldPause;
    std::this_thread::sleep_for(kHeldPause);
  }
  log::warning("the store was adopted, the start goes on", {});
  return {};
}

}  // namespace todoku::app
