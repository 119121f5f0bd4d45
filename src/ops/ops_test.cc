// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "ops/collected.h"
#include "ops/exposition.h"
#include "ops/health.h"

namespace todoku::ops {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Task<void> dispatch(const http::Router& router, std::string path, net::Endpoint remote,
                    http::Response& response) {
  http::Request request;
  request.path = path;
  request.remote = remote;
  http::TextBody body("");
  const auto match = router.find(http::Method::get, path, request.parameters);
  response.status = match.status;
  if (match.route != nullptr) response = co_await match.route->handler(request, body);
}

http::Response get(const http::Router& router, const std::string& path,
                   const std::string& remote = "127.0.0.1:1") {
  http::Response response;
  async::run_to_completion(dispatch(router, path, *net::Endpoint::parse(remote), response));
  return response;
}

// A check that counts how often it is probed.
struct Probe {
  int probed = 0;
  std::string problem;

  static Task<Result<void>> run(Probe* self) {
    ++self->probed;
    if (self->problem.empty()) co_return Result<void>();
    co_return fail(ErrorKind::unavailable, self->problem);
  }
  Check check() {
    return {"store", [this] { return run(this); }};
  }
};

TEST(Exposition, IsInPrometheusTextFormat) {
  Metrics metrics;
  metrics.counter("todoku_outcomes_total", "Outcomes\nby state.", {{"state", "delivered"}}).add(3);
  metrics.counter("todoku_outcomes_total", "Outcomes\nby state.", {{"state", "bounced"}}).add(1);
  metrics.gauge("todoku_lanes", "Lanes.").set(2.5);
  metrics.gauge("todoku_cpu_seconds_total", "Seconds.").set(0.25);
  const std::vector<Microseconds> bounds = {1ms, 1s};
  Histogram& histogram =
      metrics.histogram("todoku_attempt_seconds", "Attempts.", bounds, {{"class", "bulk"}});
  histogram.observe(500us);
  histogram.observe(2s);
  EXPECT_EQ(exposition(metrics),
            "# HELP todoku_attempt_seconds Attempts.\n"
            "# TYPE todoku_attempt_seconds histogram\n"
            "todoku_attempt_seconds_bucket{class=\"bulk\",le=\"0.001\"} 1\n"
            "todoku_attempt_seconds_bucket{class=\"bulk\",le=\"1\"} 1\n"
            "todoku_attempt_seconds_bucket{class=\"bulk\",le=\"+Inf\"} 2\n"
            "todoku_attempt_seconds_sum{class=\"bulk\"} 2.0005\n"
            "todoku_attempt_seconds_count{class=\"bulk\"} 2\n"
            "# HELP todoku_cpu_seconds_total Seconds.\n"
            "# TYPE todoku_cpu_seconds_total counter\n"
            "todoku_cpu_seconds_total 0.25\n"
            "# HELP todoku_lanes Lanes.\n"
            "# TYPE todoku_lanes gauge\n"
            "todoku_lanes 2.5\n"
            "# HELP todoku_outcomes_total Outcomes\\nby state.\n"
            "# TYPE todoku_outcomes_total counter\n"
            "todoku_outcomes_total{state=\"bounced\"} 1\n"
            "todoku_outcomes_total{state=\"delivered\"} 3\n");
}

TEST(ExchangeCounter, CountsByRouteAndStatus) {
  Metrics metrics;
  const auto observe = exchange_counter(metrics, "api");
  const http::Request request;
  const http::Route route{.method = http::Method::get,
                          .pattern = "/deliveries/{id}",
                          .names = {},
                          .options = {},
                          .handler = {}};
  observe(
      {.request = request, .route = &route, .status = 200, .body_received = 0, .duration = 3ms});
  observe(
      {.request = request, .route = &route, .status = 200, .body_received = 0, .duration = 3ms});
  observe(
      {.request = request, .route = nullptr, .status = 404, .body_received = 0, .duration = 1ms});
  const std::string text = exposition(metrics);
  EXPECT_THAT(text, HasSubstr("todoku_http_requests_total{server=\"api\",route=\"GET "
                              "/deliveries/{id}\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("route=\"none\",status=\"404\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("todoku_http_request_seconds_bucket{server=\"api\",route=\"GET "
                              "/deliveries/{id}\",le=\"0.005\"} 2\n"));
}

TEST(Health, IsAliveWhateverItsReadiness) {
  FakeClock clock;
  Probe probe{.problem = "the disk is full"};
  Readiness readiness(clock, {probe.check()});
  readiness.started();
  http::Router router;
  add_health_routes(router, readiness);
  EXPECT_EQ(get(router, "/healthz").status, 200);
  const auto ready = get(router, "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, R"({"ready":false,"checks":{"store":"the disk is full","engine":"ok"},)"
                        R"("error":"store: the disk is full"})");
}

TEST(Health, IsNotAliveWhereSomethingIsFatalAndSaysWhat) {
  FakeClock clock;
  Readiness readiness(clock, {});
  std::string fatal;
  readiness.alive_while([&fatal] { return fatal; });
  http::Router router;
  add_health_routes(router, readiness);
  EXPECT_EQ(get(router, "/healthz").status, 200);
  fatal = "thread 2 of 4 stands still";
  const auto told = get(router, "/healthz");
  EXPECT_EQ(told.status, 500);
  EXPECT_EQ(told.body, R"({"alive":false,"was_ready":false,"error":"thread 2 of 4 stands still"})");
  readiness.start_draining();
  fatal.clear();
  EXPECT_EQ(get(router, "/healthz").status, 200) << "who drains is alive";
}

TEST(Health, RemembersThatItWasReadyOnce) {
  FakeClock clock;
  Probe probe{.problem = "the disk is full"};
  Readiness readiness(clock, {probe.check()});
  http::Router router;
  add_health_routes(router, readiness);
  const auto life = [&] { return get(router, "/healthz").body; };
  EXPECT_EQ(life(), R"({"alive":true,"was_ready":false})");
  readiness.started();
  EXPECT_EQ(get(router, "/readyz").status, 503);
  EXPECT_EQ(life(), R"({"alive":true,"was_ready":false})");
  probe.problem.clear();
  clock.advance(2s);
  EXPECT_EQ(get(router, "/readyz").status, 200);
  probe.problem = "the disk is full";
  clock.advance(2s);
  EXPECT_EQ(get(router, "/readyz").status, 503);
  EXPECT_EQ(life(), R"({"alive":true,"was_ready":true})");
}

TEST(Health, ProbesAtMostOnceInTwoSeconds) {
  FakeClock clock;
  Probe probe;
  Readiness readiness(clock, {probe.check()});
  readiness.started();
  http::Router router;
  add_health_routes(router, readiness);
  EXPECT_EQ(get(router, "/readyz").status, 200);
  probe.problem = "gone";
  EXPECT_EQ(get(router, "/readyz").status, 200);
  EXPECT_EQ(probe.probed, 1);
  clock.advance(2s);
  EXPECT_EQ(get(router, "/readyz").status, 503);
  EXPECT_EQ(probe.probed, 2);
}

TEST(Health, IsReadyBetweenStartAndDrain) {
  FakeClock clock;
  Readiness readiness(clock, {});
  http::Router router;
  add_health_routes(router, readiness);
  EXPECT_THAT(get(router, "/readyz").body, HasSubstr("it is starting"));
  readiness.started();
  EXPECT_EQ(get(router, "/readyz").status, 200);
  readiness.start_draining();
  EXPECT_EQ(get(router, "/readyz").status, 503);
  EXPECT_THAT(get(router, "/readyz").body, HasSubstr("it is stopping"));
}

}  // namespace
}  // namespace todoku::ops
