// SPDX-License-Identifier: Apache-2.0
// The ledger of one lane (site x egress source): what waits, how many connections there are, what
// pace and rest the site gets. Pure: no sockets, no clock; one thread calls it.
//
// Mails of a site wait by route (the set of MX hosts), because a connection is only reused for the
// same hosts; within a route the fair queue says who is next. A connection belongs to one route.
//
//   add() --> waiting by route --take()--> connection --> served() or site_failed(), and at its
//                                                         end connection_closed()
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "delivery/policy/adaptive_pace.h"
#include "delivery/policy/backoff.h"
#include "delivery/policy/fair_queue.h"
#include "delivery/policy/lane_answers.h"

namespace todoku::delivery::egress {

struct LaneLimits {
  std::uint32_t connections_max = 20;
  std::uint32_t messages_per_connection = 100;
  double messages_per_second = 0;  // <= 0: no limit
  std::chrono::seconds idle{5};    // how long an idle connection is kept for the next mail
  bool adaptive = false;           // what connections and pace allow is found out by answers
  policy::BackoffOptions backoff;
};

template <class Item>
class LaneLedger {
 public:
  LaneLedger(LaneLimits limits, Random& random)
      : limits_(limits),
        random_(random),
        pace_({.connections_max = limits.connections_max,
               .messages_per_second = limits.messages_per_second},
              {.adaptive = limits.adaptive}),
        backoff_(limits.backoff) {}

  // Changes nothing if it throws.
  void add(std::string_view route, const policy::Flow& flow, Item item) {
    auto found = routes_.find(route);
    if (found == routes_.end()) found = routes_.try_emplace(std::string(route)).first;
    try {
      found->second.waiting.push(flow, std::move(item));
    } catch (...) {
      forget_if_empty(route);
      throw;
    }
    ++waiting_;
  }

  // The route for which a connection should be opened now, if any: one that has more waiting than
  // its connections without work could take, fewest connections first. The caller opens one and
  // asks again. After a failure of the site only one connection probes at a time.
  [[nodiscard]] std::optional<std::string> wants_connection(SteadyInstant now) const {
    if (waiting_ == 0 || resting(now)) return std::nullopt;
    const std::uint32_t allowed = connections_allowed(now);
    const std::uint32_t for_urgent = connections_for_urgent(now);
    const std::string* best = nullptr;
    std::uint32_t fewest = 0;
    for (const auto& [name, route] : routes_) {
      if (route.waiting.size() <= route.idle + route.opening) continue;
      if (connections_ >= (is_urgent(route) ? for_urgent : allowed)) continue;
      if (best == nullptr || route.connections < fewest) {
        best = &name;
        fewest = route.connections;
      }
    }
    return best == nullptr ? std::nullopt : std::optional<std::string>(*best);
  }

  // Of what waits for the route, which is known.
  [[nodiscard]] TrafficClass most_urgent(std::string_view route) {
    const bool urgent = at(route).waiting.size(TrafficClass::transactional) > 0;
    return urgent ? TrafficClass::transactional : TrafficClass::bulk;
  }

  // A connection counts from here on; connection_closed() is due for it, whatever comes.
  void connection_opening(std::string_view route) {
    Route& entry = at(route);
    ++entry.connections;
    ++entry.opening;
    ++connections_;
  }
  // It may take a mail.
  void connection_opened(std::string_view route) { --at(route).opening; }
  // The site has answered a mail: that, and not its greeting, ends the suspicion. What went before
  // a rest does not end it.
  void served(SteadyInstant now) {
    if (!backoff_.resting(now)) backoff_.succeeded();
  }
  // What answers to mails said about the pace. True: the site has failed, and the lane should rest.
  [[nodiscard]] bool answered(const policy::PaceAnswer& answer, SteadyInstant now) {
    return pace_.answered(answer, now);
  }
  // A connection was not taken, and is closed. The same.
  [[nodiscard]] bool not_taken(Microseconds latency, SteadyInstant now) {
    return policy::too_many_told(pace_, backoff_, connections_, latency, now);
  }
  // `opened`: connection_opened() was called for it.
  void connection_closed(std::string_view route, bool opened) {
    Route& entry = at(route);
    if (!opened) --entry.opening;
    --entry.connections;
    --connections_;
    forget_if_empty(route);
  }
  void connection_idle(std::string_view route, bool idle) {
    Route& entry = at(route);
    entry.idle = idle ? entry.idle + 1 : entry.idle - 1;
  }

  // Up to `max` mails of the route, as far as the pace allows now. While the site is under
  // suspicion (a failure, no success since) one at a time.
  std::vector<Item> take(std::string_view route, std::uint32_t max, SteadyInstant now) {
    std::vector<Item> taken;
    const auto found = routes_.find(route);
    if (found == routes_.end() || resting(now)) return taken;
    auto& waiting = found->second.waiting;
    if (backoff_.failures() > 0) max = 1;
    const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(max, waiting.size()));
    taken.reserve(wanted);
    const std::uint32_t granted = pace_.take(wanted, now);
    for (std::uint32_t i = 0; i < granted; ++i) taken.push_back(*waiting.pop());
    waiting_ -= granted;
    return taken;
  }
  // Permits of mails that were taken but not sent; `taken` is when.
  void give_back_permits(std::uint32_t count, SteadyInstant taken) {
    pace_.give_back(count, taken);
  }
  // When take() may succeed although it did not: for the pace only.
  [[nodiscard]] SteadyInstant next_permit_at() const { return pace_.next_permit_at(); }

  // Nothing goes before `until`, by a plan of our own.
  void hold(SteadyInstant until) { held_until_ = std::max(held_until_, until); }
  [[nodiscard]] bool held(SteadyInstant now) const { return now < held_until_; }
  // A failure that speaks of the site: it rests now.
  void site_failed(SteadyInstant now) { backoff_.failed(now, random_); }
  // It rests until then instead.
  void rest_until(SteadyInstant until) { backoff_.rest_until(until); }
  // The rest after a failure alone, whatever else lets it rest.
  [[nodiscard]] SteadyInstant failed_until() const { return backoff_.until(); }
  // Everything that waits, to be parked until rests_until() or for a drain, is appended to `all`.
  void take_all(std::vector<Item>& all) {
    all.reserve(all.size() + waiting_);
    for (auto& [name, route] : routes_) {
      while (auto item = route.waiting.pop()) all.push_back(std::move(*item));
    }
    waiting_ = 0;
    forget_empty();
  }
  // Takes out what waits in vain, as FairQueue::remove_deliveries_if() does.
  template <class Over, class Taken>
  void remove_deliveries_if(Over over, Taken taken) {
    const auto counted = [&](const Item& item) {
      taken(item);
      --waiting_;
    };
    for (auto& [name, route] : routes_) route.waiting.remove_deliveries_if(over, counted);
    forget_empty();
  }
  // False once a route has neither mail nor a connection: nothing need be kept for it.
  [[nodiscard]] bool knows(std::string_view route) const {
    return routes_.find(route) != routes_.end();
  }

  // After a failure, or because a rule suspends it, or a plan holds it.
  [[nodiscard]] bool resting(SteadyInstant now) const {
    return backoff_.resting(now) || pace_.suspended(now) || held(now);
  }
  [[nodiscard]] SteadyInstant rests_until() const {
    return std::max({backoff_.until(), pace_.suspended_until(), held_until_});
  }
  [[nodiscard]] unsigned failures() const { return backoff_.failures(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t waiting(std::string_view route) const {
    const auto found = routes_.find(route);
    return found == routes_.end() ? 0 : found->second.waiting.size();
  }
  // True if other routes wait for a connection and none may be opened: an idle connection of
  // `route` should make room.
  [[nodiscard]] bool others_need_room(std::string_view route, SteadyInstant now) const {
    if (connections_ < connections_allowed(now)) return false;
    return waiting_ > waiting(route);
  }
  [[nodiscard]] std::uint32_t connections() const { return connections_; }
  // 1 while the site is under suspicion; not for resting().
  [[nodiscard]] std::uint32_t connections_allowed(SteadyInstant now) const {
    return backoff_.failures() > 0 ? 1 : pace_.connections_allowed(now);
  }
  [[nodiscard]] std::uint32_t connections_for_urgent(SteadyInstant now) const {
    return backoff_.failures() > 0 ? 1 : pace_.connections_for_urgent(now);
  }
  // Transactional mail waits for the route.
  [[nodiscard]] bool urgent_waits(std::string_view route) const {
    const auto found = routes_.find(route);
    return found != routes_.end() && is_urgent(found->second);
  }
  [[nodiscard]] policy::AdaptivePace& pace() { return pace_; }
  [[nodiscard]] const policy::AdaptivePace& pace() const { return pace_; }
  [[nodiscard]] const LaneLimits& limits() const { return limits_; }

 private:
  struct Route {
    policy::FairQueue<Item> waiting;
    std::uint32_t connections = 0;
    std::uint32_t opening = 0;
    std::uint32_t idle = 0;
  };

  static bool is_urgent(const Route& route) {
    return route.waiting.size(TrafficClass::transactional) > 0;
  }
  Route& at(std::string_view route) {
    const auto found = routes_.find(route);
    check(found != routes_.end(), "a route with connections is known");
    return found->second;
  }
  void forget_empty() {
    std::erase_if(routes_, [](const auto& entry) {
      return entry.second.connections == 0 && entry.second.waiting.empty();
    });
  }
  void forget_if_empty(std::string_view route) {
    const auto found = routes_.find(route);
    if (found != routes_.end() && found->second.connections == 0 && found->second.waiting.empty()) {
      routes_.erase(found);
    }
  }

  LaneLimits limits_;
  Random& random_;
  policy::AdaptivePace pace_;
  policy::Backoff backoff_;
  SteadyInstant held_until_{};
  std::map<std::string, Route, std::less<>> routes_;
  std::size_t waiting_ = 0;
  std::uint32_t connections_ = 0;
};

}  // namespace todoku::delivery::egress
