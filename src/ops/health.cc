// SPDX-License-Identifier: Apache-2.0
#include "ops/health.h"

#include <algorithm>

#include <fmt/format.h>

#include "http/json.h"
#include "ops/exposition.h"

namespace todoku::ops {
namespace {

http::Response ready_response(const std::vector<CheckResult>& results) {
  const bool ready = std::ranges::all_of(results, &std::string::empty, &CheckResult::problem);
  std::string problems;
  http::JsonWriter json;
  json.begin_object();
  json.member("ready", ready);
  json.key("checks");
  json.begin_object();
  for (const CheckResult& result : results) {
    json.member(result.name, result.problem.empty() ? "ok" : result.problem);
    if (result.problem.empty()) continue;
    problems += fmt::format("{}{}: {}", problems.empty() ? "" : "; ", result.name, result.problem);
  }
  json.end_object();
  if (!ready) json.member("error", problems);
  json.end_object();
  return http::Response::json(ready ? 200 : 503, json.take());
}

http::Response alive_response(const Readiness& readiness) {
  const std::string fatal = readiness.fatal();
  http::JsonWriter json;
  json.begin_object();
  json.member("alive", fatal.empty());
  json.member("was_ready", readiness.was_ready());
  if (!fatal.empty()) json.member("error", fatal);
  json.end_object();
  return http::Response::json(fatal.empty() ? 200 : 500, json.take());
}

bool is_local(const net::Endpoint& remote) {
  // 0.0.0.0 is a Unix socket.
  const auto scope = remote.address.scope();
  return remote.address.is_unspecified() || scope == net::AddressScope::loopback ||
         scope == net::AddressScope::private_use || scope == net::AddressScope::link_local;
}

Task<http::Response> answer_ready(Readiness& readiness) {
  const auto results = co_await readiness.check();
  co_return ready_response(results);
}

Task<http::Response> answer_metrics(const Metrics& metrics, CollectedMetrics& collected) {
  co_await collected.collect();
  http::Response response = http::Response::text(200, exposition(metrics));
  response.content_type = kExpositionType;
  co_return response;
}

Task<http::Response> answer(http::Response response) {
  co_return response;
}

Task<Result<void>> probe_store(store::Store& store, std::int64_t now_ms) {
  const auto text = fmt::format("{}", now_ms);
  const auto written = co_await store.write(store::WritePriority::accept,
                                            [text](store::WriteTransaction& transaction) {
                                              return transaction.put_setting("ready_probe", text);
                                            });
  co_return written;
}

}  // namespace

CheckResult Readiness::engine_check() const {
  switch (phase_.load()) {
    case Phase::starting:
      return {"engine", "it is starting"};
    case Phase::running:
      return {"engine", ""};
    case Phase::draining:
      return {"engine", "it is stopping"};
  }
  return {"engine", ""};
}

Task<std::vector<CheckResult>> Readiness::check() {
  {
    const std::lock_guard lock(mutex_);
    if (probed_ && clock_.steady_now() - *probed_ < kFresh) {
      co_return with_engine(results_);
    }
  }
  std::vector<CheckResult> results;
  for (const Check& check : checks_) {
    const auto probed = co_await check.probe();
    results.push_back({check.name, probed ? "" : probed.error().detail});
  }
  {
    const std::lock_guard lock(mutex_);
    results_ = results;
    probed_ = clock_.steady_now();
  }
  co_return with_engine(std::move(results));
}

std::vector<CheckResult> Readiness::with_engine(std::vector<CheckResult> results) {
  results.push_back(engine_check());
  if (std::ranges::all_of(results, &std::string::empty, &CheckResult::problem)) was_ready_ = true;
  return results;
}

Check store_check(store::Store& store, const Clock& clock) {
  return {"store", [&store, &clock] { return probe_store(store, to_epoch_ms(clock.now())); }};
}

void add_health_routes(http::Router& router, Readiness& readiness) {
  router.add(http::Method::get, "/healthz", [&readiness](http::Request&, http::Body&) {
    return answer(alive_response(readiness));
  });
  router.add(http::Method::get, "/readyz",
             [&readiness](http::Request&, http::Body&) { return answer_ready(readiness); });
}

void add_metrics_route(http::Router& router, const Metrics& metrics, CollectedMetrics& collected,
                       bool local_only) {
  router.add(
      http::Method::get, "/metrics",
      [&metrics, &collected, local_only](http::Request& request, http::Body&) {
        if (local_only && !is_local(request.remote)) {
          return answer(http::plain_failure({.status = 404, .reason = "not found"}, request));
        }
        return answer_metrics(metrics, collected);
      });
}

}  // namespace todoku::ops
