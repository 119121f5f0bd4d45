// SPDX-License-Identifier: Apache-2.0
// Routes by domain, remembered for as long as the DNS allows, looked up once for all who ask at the
// same time.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/callback.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "dns/mail_route.h"
#include "dns/resolver_watch.h"

namespace todoku::dns {

// Thread-safe: one for the whole process. It must outlive every task that waits in it.
class RouteCache {
 public:
  struct Options {
    std::size_t domains_max = 20'000;  // the one not used for longest leaves; 1 KB each at most
    // A route's own life is kept between these.
    std::chrono::seconds ttl_min{30};
    std::chrono::seconds ttl_max{3'600};
    std::chrono::seconds permanent_ttl{60};  // of "there is no such domain" and the like
    std::chrono::seconds temporary_ttl{30};  // of "could not be looked up"
    // What our resolver is not believed about is not remembered at all.
    // Between two tries of a look-up that failed for want of something of our own
    // (Unroutable::ours), and how many there are before it counts as a failure: it is no fault of
    // the domain's.
    Milliseconds own_wait{2'000};
    unsigned own_waits_max = 300;
  };
  // A route or why there is none; shared and immutable.
  using Route = std::shared_ptr<const RouteAnswer>;

  // All references must outlive the cache, and so must `watch`, which tells what answers can be
  // believed; nullptr: all.
  RouteCache(Resolver& resolver, RouteOptions route_options, Options options, const Clock& clock,
             Metrics& metrics, ResolverWatch* watch = nullptr);
  RouteCache(const RouteCache&) = delete;
  RouteCache& operator=(const RouteCache&) = delete;

  // The remembered route, or nullptr. Never waits.
  [[nodiscard]] Route peek(std::string_view domain);
  // The remembered route, or the one looked up now; nullptr if the task was cancelled while it
  // waited for what we have too little of. If the task that does the looking up for all is
  // cancelled, one of the others takes its place.
  [[nodiscard]] Task<Route> route(std::string domain);
  // Makes the next route() look up again, e.g. after every host of the route refused us.
  void forget(std::string_view domain);
  void forget_all();
  [[nodiscard]] std::size_t size() const;

 private:
  // A look-up under way. Who asks meanwhile keeps it until it has landed, so that an answer that is
  // not remembered reaches them, too.
  struct Shared {
    bool landed = false;
    Route route;  // once landed; nullptr: the task that looked up was cancelled
    std::vector<async::Callback<Route>> waiters;
  };
  struct Entry {
    Route route;
    SteadyInstant expires{};
    std::list<std::string>::iterator age;  // its place in by_use_
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  template <class T>
  using ByDomain = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  class Flight;

  Route find_locked(std::string_view domain);
  void remember_locked(const std::string& domain, const Route& route);
  void erase_locked(ByDomain<Entry>::iterator entry);
  [[nodiscard]] std::chrono::seconds life(const RouteAnswer& answer) const;
  // Until it is not for want of our own that there is no answer; nullptr: cancelled.
  Task<Route> look_up(std::string domain);
  // nullptr if this caller has to look up; the flight is then open until land().
  Task<Route> join_flight(const std::string& domain, bool& mine);
  void land(const std::string& domain, const Route& route);

  Resolver& resolver_;
  ResolverWatch* const watch_;
  const RouteOptions route_options_;
  const Options options_;
  const Clock& clock_;
  Counter& hits_;
  Counter& misses_;
  Counter& shared_;

  mutable std::mutex mutex_;
  ByDomain<Entry> entries_;
  std::list<std::string> by_use_;  // most recently used first
  ByDomain<std::shared_ptr<Shared>> flights_;
};

}  // namespace todoku::dns
