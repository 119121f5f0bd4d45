// SPDX-License-Identifier: Apache-2.0
#include "sim/engine.h"

#include <utility>

#include "sim/heedless_node.h"

namespace todoku::sim {
namespace {

dns::RouteOptions route_options(const delivery::policy::SiteRules& rules) {
  dns::RouteOptions options;
  options.allow_private_receivers = true;
  options.site_naming = [&rules](std::string_view domain, std::span<const std::string_view> hosts) {
    const auto* site = rules.find(domain, hosts);
    return site == nullptr ? std::nullopt : std::optional(site->name);
  };
  return options;
}

}  // namespace

Engine::Engine(Surroundings s, unsigned run)
    : clock_(s.clock),
      run_(run),
      runtime_(s.threads),
      store_(s.disk, s.outside, s.clock, s.trace),
      line_(s.network, run),
      node_(make_node(store_, s.own_clock, s.name, s.scenario.safeguards, metrics_,
                      runtime_.executor(0))),
      queues_(s.scenario.bells, s.scenario.seed * 100 + run, s.stray, s.own_clock,
              runtime_.executor(0)),
      routes_(s.names, route_options(s.rules), dns::RouteCache::Options{}, s.own_clock, metrics_),
      delivering_(runtime_, store_, *node_, queues_, routes_, keys_, s.rules, s.options,
                  s.own_clock, metrics_, nullptr, &line_),
      intake_(store_, s.own_clock, intake::Limits{}, delivering_, metrics_),
      visitors_(s.outside) {
  s.trace.line("run {} starts as {}", run, s.name);
}

void Engine::die() {
  dead_ = true;
  line_.cut();
  store_.die();
}

Task<bool> Engine::stop(Microseconds grace) {
  const SteadyInstant deadline = clock_.steady_now() + grace;
  const bool clean = co_await async::run_on(runtime_.executor(0), delivering_.stop(deadline));
  co_await async::run_on(runtime_.executor(0), queues_.stop());
  co_await async::run_on(runtime_.executor(0), node_->stop());
  co_await async::run_on(runtime_.executor(0), node_->leave());
  co_await visitors_.wait_empty();
  co_await store_.stop();
  runtime_.join();  // it has no threads: from now on its io_contexts end when their work ends
  co_return clean;
}

bool Engine::is_over() {
  for (std::size_t i = 0; i < runtime_.size(); ++i) {
    if (!runtime_.context(i).stopped()) return false;
  }
  return true;
}

}  // namespace todoku::sim
