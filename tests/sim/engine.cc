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

std::vector<std::string> names_of(const std::vector<delivery::EgressSource>& sources) {
  std::vector<std::string> names;
  for (const delivery::EgressSource& source : sources) names.push_back(source.name);
  return names;
}

std::string site_of(dns::RouteCache& routes, std::string_view domain) {
  const auto route = routes.peek(domain);
  return route && *route ? (**route).site : std::string(domain);
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
      owned_(names_of(s.options.sources)),
      live_(names_of(s.options.sources)),
      feedback_([this](std::string_view domain) { return site_of(routes_, domain); }),
      sending_({.runtime = runtime_,
                .store = store_,
                .node = *node_,
                .queues = queues_,
                .routes = routes_,
                .feedback = feedback_,
                .owned = owned_,
                .live = live_,
                .keys = keys_,
                .rules = s.rules,
                .clock = s.own_clock,
                .metrics = metrics_},
               s.options, nullptr, &line_),
      scheduler_({.store = store_,
                  .queues = queues_,
                  .feedback = feedback_,
                  .leads = leads_,
                  .live = live_,
                  .node = *node_,
                  .keys = keys_,
                  .clock = s.own_clock,
                  .options = s.options,
                  .metrics = metrics_},
                 runtime_.executor(0)),
      passing_on_({.keys = keys_,
                   .clock = s.own_clock,
                   .metrics = metrics_,
                   .life_time = s.options.retry_transactional.life_time,
                   .sending = &sending_,
                   .work_arrived = [this] { scheduler_.wake(); }},
                  runtime_.executor(0)),
      intake_(store_, s.own_clock, intake::Limits{}, passing_on_, metrics_),
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
  co_await async::run_on(runtime_.executor(0), scheduler_.stop());
  const bool clean = co_await async::run_on(runtime_.executor(0), sending_.stop(deadline));
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
