// SPDX-License-Identifier: Apache-2.0
#include "sim/engine.h"

#include <utility>

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

// Goes on after its lease has lapsed.
class HeedlessNode final : public delivery::Node {
 public:
  using Node::Node;
  [[nodiscard]] bool holds() const override { return key() != store::kNobody; }
};

// Never asks the store what it holds.
class BlindNode final : public delivery::Node {
 public:
  using Node::Node;
  Task<Result<void>> look_for_forgotten() override { co_return Result<void>{}; }
};

std::unique_ptr<delivery::Node> make_node(store::Store& store, const Surroundings& s,
                                          Metrics& metrics, const async::Executor& executor) {
  // Every run takes the name of the one before: what that had in hand is offered again.
  store::NewNode who{.name = s.name, .roles = "all", .version = "sim"};
  if (!s.scenario.safeguards.looks_for_forgotten) {
    return std::make_unique<BlindNode>(store, s.own_clock, std::move(who), metrics, executor);
  }
  if (s.scenario.safeguards.lapse_respected) {
    return std::make_unique<delivery::Node>(store, s.own_clock, std::move(who), metrics, executor);
  }
  return std::make_unique<HeedlessNode>(store, s.own_clock, std::move(who), metrics, executor);
}

}  // namespace

Engine::Engine(Surroundings s, unsigned run)
    : clock_(s.clock),
      run_(run),
      runtime_(s.threads),
      store_(s.disk, s.outside, s.clock, s.trace),
      line_(s.network, run),
      node_(make_node(store_, s, metrics_, runtime_.executor(0))),
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
