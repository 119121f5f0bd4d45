// SPDX-License-Identifier: Apache-2.0
#include "dns/route_cache.h"

#include <algorithm>
#include <utility>

#include "async/timer.h"

namespace todoku::dns {

// The look-up of one domain for all who ask. However the task ends, the waiting ones hear of it.
class RouteCache::Flight {
 public:
  Flight(RouteCache& cache, const std::string& domain) : cache_(cache), domain_(domain) {}
  ~Flight() { cache_.land(domain_, route_); }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  void arrive(Route route) { route_ = std::move(route); }

 private:
  RouteCache& cache_;
  const std::string& domain_;
  Route route_;
};

RouteCache::RouteCache(Resolver& resolver, RouteOptions route_options, Options options,
                       const Clock& clock, Metrics& metrics, ResolverWatch* watch)
    : resolver_(resolver),
      watch_(watch),
      route_options_(std::move(route_options)),
      options_(options),
      clock_(clock),
      hits_(metrics.counter("todoku_routes_total", "Routes asked for, by where they came from.",
                            {{"from", "cache"}})),
      misses_(metrics.counter("todoku_routes_total", "Routes asked for, by where they came from.",
                              {{"from", "lookup"}})),
      shared_(metrics.counter("todoku_routes_total", "Routes asked for, by where they came from.",
                              {{"from", "shared_lookup"}})) {}

RouteCache::Route RouteCache::peek(std::string_view domain) {
  const std::lock_guard lock(mutex_);
  Route route = find_locked(domain);
  if (route) hits_.add();
  return route;
}

Task<RouteCache::Route> RouteCache::route(std::string domain) {
  for (;;) {
    bool mine = false;
    Route route = co_await join_flight(domain, mine);
    if (route) co_return route;
    if (!mine) continue;  // who looked up for us was cancelled
    Flight flight(*this, domain);
    route = co_await look_up(domain);
    flight.arrive(route);
    co_return route;
  }
}

Task<RouteCache::Route> RouteCache::look_up(std::string domain) {
  for (unsigned waits = 0;; ++waits) {
    const SteadyInstant asked = clock_.steady_now();
    RouteAnswer answer = co_await find_route(resolver_, domain, route_options_);
    const bool final = answer || !answer.error().ours || waits == options_.own_waits_max;
    if (final) {
      if (watch_ != nullptr) answer = co_await watch_->believed(domain, asked, std::move(answer));
      co_return std::make_shared<const RouteAnswer>(std::move(answer));
    }
    const bool awake = co_await async::sleep_for(options_.own_wait);
    if (!awake) co_return nullptr;
  }
}

Task<RouteCache::Route> RouteCache::join_flight(const std::string& domain, bool& mine) {
  std::shared_ptr<Shared> flight;
  {
    const std::lock_guard lock(mutex_);
    if (Route known = find_locked(domain)) {
      hits_.add();
      co_return known;
    }
    std::shared_ptr<Shared>& under_way = flights_[domain];
    if (under_way == nullptr) {
      under_way = std::make_shared<Shared>();
      misses_.add();
      mine = true;
      co_return nullptr;
    }
    flight = under_way;
  }
  shared_.add();
  co_return co_await async::from_callback<Route>([this, flight](async::Callback<Route> done) {
    std::unique_lock lock(mutex_);
    if (!flight->landed) {
      flight->waiters.push_back(std::move(done));
      return;
    }
    lock.unlock();
    done(flight->route);
  });
}

void RouteCache::land(const std::string& domain, const Route& route) {
  std::vector<async::Callback<Route>> waiters;
  {
    const std::lock_guard lock(mutex_);
    const bool ours = route && !*route && route->error().ours;
    if (route && !ours) remember_locked(domain, route);
    const auto found = flights_.find(domain);
    const std::shared_ptr<Shared> flight = std::move(found->second);
    flights_.erase(found);
    flight->landed = true;
    flight->route = route;
    waiters = std::move(flight->waiters);
  }
  for (async::Callback<Route>& waiter : waiters) waiter(route);
}

void RouteCache::forget(std::string_view domain) {
  const std::lock_guard lock(mutex_);
  if (const auto entry = entries_.find(domain); entry != entries_.end()) erase_locked(entry);
}

void RouteCache::forget_all() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  by_use_.clear();
}

std::size_t RouteCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

RouteCache::Route RouteCache::find_locked(std::string_view domain) {
  const auto entry = entries_.find(domain);
  if (entry == entries_.end()) return nullptr;
  if (entry->second.expires <= clock_.steady_now()) {
    erase_locked(entry);
    return nullptr;
  }
  by_use_.splice(by_use_.begin(), by_use_, entry->second.age);
  return entry->second.route;
}

void RouteCache::remember_locked(const std::string& domain, const Route& route) {
  if (const auto old = entries_.find(domain); old != entries_.end()) erase_locked(old);
  while (!entries_.empty() && entries_.size() >= options_.domains_max) {
    erase_locked(entries_.find(by_use_.back()));
  }
  by_use_.push_front(domain);
  entries_.emplace(
      domain,
      Entry{.route = route, .expires = clock_.steady_now() + life(*route), .age = by_use_.begin()});
}

void RouteCache::erase_locked(ByDomain<Entry>::iterator entry) {
  by_use_.erase(entry->second.age);
  entries_.erase(entry);
}

std::chrono::seconds RouteCache::life(const RouteAnswer& answer) const {
  if (answer) return std::clamp(answer->ttl, options_.ttl_min, options_.ttl_max);
  return answer.error().permanent ? options_.permanent_ttl : options_.temporary_ttl;
}

}  // namespace todoku::dns
