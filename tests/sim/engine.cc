// SPDX-License-Identifier: Apache-2.0
#include "sim/engine.h"

#include <utility>

#include "base/check.h"

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
      queues_(queue::MemoryQueue::Options{}, s.clock),
      routes_(s.names, route_options(s.rules), dns::RouteCache::Options{}, s.clock, metrics_),
      delivering_(runtime_, store_, queues_, routes_, keys_, s.rules, s.options,
                  /*holder=*/1'000 + run, s.clock, metrics_, nullptr, &line_),
      intake_(store_, s.clock, intake::Limits{}, delivering_, metrics_),
      visitors_(s.outside) {
  // As the engine does before anything else: no other process can hold a lease on this store.
  constexpr std::int64_t kSlice = 1'000;
  std::int64_t released = 0;
  std::int64_t slice = kSlice;
  while (slice == kSlice) {
    const auto some = s.disk.store.write([&](store::WriteTransaction& transaction) {
      return transaction.release_leases_of_others(1'000 + run, s.clock.now(), kSlice);
    });
    check(some.has_value(), "leases of an earlier run can be released");
    slice = *some;
    released += slice;
  }
  s.trace.line("run {} starts, {} leases were left", run, released);
}

void Engine::die() {
  dead_ = true;
  line_.cut();
  store_.die();
}

Task<bool> Engine::stop(Microseconds grace) {
  const SteadyInstant deadline = clock_.steady_now() + grace;
  const bool clean = co_await async::run_on(runtime_.executor(0), delivering_.stop(deadline));
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
