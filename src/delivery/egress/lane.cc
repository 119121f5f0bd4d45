// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/lane.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/digest.h"
#include "base/log.h"
#include "delivery/egress/lane_connection.h"

namespace todoku::delivery::egress {
namespace {

LaneLimits ledger_limits(const policy::SiteLimits& limits, const Options& options) {
  return {.connections_max = limits.connections_max,
          .messages_per_connection = limits.messages_per_connection,
          .messages_per_second = limits.messages_per_second,
          .idle = limits.idle,
          .backoff = options.site_backoff};
}

policy::Flow flow_of(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  return {letter.traffic, static_cast<std::int64_t>(letter.account),
          static_cast<std::int64_t>(letter.delivery), letter.weight};
}

}  // namespace

std::string route_key(const dns::MailRoute& route) {
  std::string key;
  for (const dns::MailHost& host : route.hosts) {
    if (!key.empty()) key += ',';
    key += host.name;
  }
  return key;
}

Lane::Lane(LaneWorld& world, std::string site, const policy::SiteLimits& limits,
           const EgressSource& source, std::size_t home, std::uint64_t seed)
    : world_(world),
      site_(std::move(site)),
      limits_(limits),
      source_(source),
      home_(home),
      random_(seed),
      ledger_(ledger_limits(limits, world.options), random_),
      arrived_(world.runtime.executor(home)),
      next_thread_(home) {}

Lane::~Lane() = default;

void Lane::add(LaneRoute route, std::vector<Mail> mails) {
  boost::asio::post(home(), [self = shared_from_this(), route = std::move(route),
                             mails = std::move(mails)]() mutable {
    self->add_here(route, std::move(mails));
    self->announced_.fetch_sub(1);
  });
}

void Lane::add_here(const LaneRoute& route, std::vector<Mail> mails) {
  const SteadyInstant now = world_.clock.steady_now();
  if (draining_ || ledger_.resting(now)) {
    park(std::move(mails), draining_ ? now : ledger_.rests_until());
    return;
  }
  routes_[route.key] = route;
  for (Mail& mail : mails) {
    const policy::Flow flow = flow_of(mail);
    ledger_.add(route.key, flow, std::move(mail));
  }
  arrived_.notify();
  open_connections();
  publish_figures();
}

void Lane::park(std::vector<Mail> mails, SteadyInstant until) {
  const auto wait = std::max(until - world_.clock.steady_now(), Microseconds(0));
  const Instant due = world_.clock.now() + std::chrono::ceil<Milliseconds>(wait);
  for (const Mail& mail : mails) world_.outcomes.parked(mail, due);
}

void Lane::open_connections() {
  while (!draining_) {
    const auto route = ledger_.wants_connection(world_.clock.steady_now());
    if (!route || !take_place(*route)) break;
    open_connection(*route);
  }
  // Others are in line for what came when it was not needed any more.
  for (; places_granted_ > 0; --places_granted_) world_.places.give_back();
}

bool Lane::take_place(std::string_view route) {
  if (places_granted_ > 0) {
    --places_granted_;
    return true;
  }
  const TrafficClass traffic = ledger_.most_urgent(route);
  bool& in_line = in_line_[static_cast<std::size_t>(traffic)];
  if (in_line) return false;
  const auto granted = [lane = weak_from_this(), traffic] {
    const auto self = lane.lock();
    if (self == nullptr) return false;
    boost::asio::post(self->home(), [self, traffic] {
      self->in_line_[static_cast<std::size_t>(traffic)] = false;
      ++self->places_granted_;
      self->open_connections();
      self->publish_figures();
    });
    return true;
  };
  const bool taken = world_.places.take(traffic, granted);
  in_line = !taken;
  return taken;
}

void Lane::open_connection(const std::string& route) {
  ledger_.connection_opening(route);
  const std::size_t thread = next_thread_++ % world_.runtime.size();
  auto connection = std::make_shared<LaneConnection>(shared_from_this(), routes_.at(route),
                                                     *world_.rounds[thread], random_.next());
  boost::asio::post(world_.runtime.executor(thread), [this, thread, connection] {
    world_.connections[thread]->spawn("smtp connection", LaneConnection::run(connection));
  });
}

Task<std::vector<Mail>> Lane::take(std::string route, std::uint32_t max, SteadyInstant idle_until,
                                   bool served) {
  if (served && ledger_.failures() > 0) {
    ledger_.served(world_.clock.steady_now());
    open_connections();
  }
  while (true) {
    const SteadyInstant now = world_.clock.steady_now();
    if (draining_ || ledger_.resting(now)) co_return std::vector<Mail>{};
    auto mails = ledger_.take(route, max, now);
    if (!mails.empty()) {
      publish_figures();
      co_return mails;
    }
    const bool paced = ledger_.waiting(route) > 0;
    if (!paced && (now >= idle_until || ledger_.others_need_room(route))) {
      co_return std::vector<Mail>{};
    }
    if (!paced && !world_.places.begin_idle()) co_return std::vector<Mail>{};
    ledger_.connection_idle(route, true);
    co_await arrived_.wait_until(paced ? ledger_.next_permit_at() : idle_until);
    ledger_.connection_idle(route, false);
    if (!paced) world_.places.end_idle();
  }
}

Task<void> Lane::connection_opened(std::string route) {
  ledger_.connection_opened(route);
  open_connections();
  publish_figures();
  co_return;
}

Task<void> Lane::connection_closed(std::string route, Ended how, std::vector<Mail> give_back) {
  const SteadyInstant now = world_.clock.steady_now();
  if (how.served) ledger_.served(now);
  ledger_.give_back_permits(static_cast<std::uint32_t>(give_back.size()) -
                            (how.begun_in_vain ? 1U : 0U));
  for (Mail& mail : give_back) {
    const policy::Flow flow = flow_of(mail);
    ledger_.add(route, flow, std::move(mail));
  }
  ledger_.connection_closed(route, how.opened);
  world_.places.give_back();
  if (how.site_failed) {
    const bool rested_before = ledger_.resting(now);
    auto waiting = ledger_.site_failed(now);
    if (!rested_before) {
      const auto rest = ledger_.rests_until() - now;
      log::warning("site rests", {{"site", site_},
                                  {"source", source_.name},
                                  {"failures", ledger_.failures()},
                                  {"seconds", std::chrono::duration<double>(rest).count()},
                                  {"parked", waiting.size()}});
      world_.site_rests(site_, ledger_.rests_until());
    }
    park(std::move(waiting), ledger_.rests_until());
  } else if (draining_) {
    park(ledger_.take_all(), now);
  } else if (ledger_.resting(now)) {
    // What came back while the site rests: nothing here would wake it when the rest is over.
    park(ledger_.take_all(), ledger_.rests_until());
  }
  open_connections();
  forget_unused_routes();
  publish_figures();
  co_return;
}

void Lane::forget_unused_routes() {
  std::erase_if(routes_, [this](const auto& entry) { return !ledger_.knows(entry.first); });
}

void Lane::drain() {
  boost::asio::post(home(), [self = shared_from_this()] {
    self->draining_ = true;
    self->park(self->ledger_.take_all(), self->world_.clock.steady_now());
    self->arrived_.notify();
    self->publish_figures();
  });
}

bool Lane::is_idle() const {
  const SteadyInstant now = world_.clock.steady_now();
  // Its successor would know neither of a rest nor of mails that count against the pace.
  return announced_.load() == 0 && ledger_.connections() == 0 && ledger_.waiting() == 0 &&
         !ledger_.resting(now) && ledger_.next_permit_at() <= now;
}

void Lane::publish_figures() {
  const std::size_t waiting = ledger_.waiting();
  const std::uint32_t connections = ledger_.connections();
  world_.waiting_gauge.add(static_cast<double>(waiting) - static_cast<double>(published_waiting_));
  world_.connections_gauge.add(static_cast<double>(connections) -
                               static_cast<double>(published_connections_));
  published_waiting_ = waiting;
  published_connections_ = connections;
  waiting_figure_ = waiting;
  connections_figure_ = connections;
  resting_figure_ = ledger_.resting(world_.clock.steady_now());
}

Lane::Figures Lane::figures() const {
  return {site_, source_.name, connections_figure_.load(), waiting_figure_.load(),
          resting_figure_.load()};
}

// ---- directory ---------------------------------------------------------------------------------

void LaneDirectory::add(const EgressSource& source, LaneRoute route, std::vector<Mail> mails) {
  const std::string& site = route.route().site;
  std::shared_ptr<Lane> lane;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = lanes_[{site, source.name}];
    if (!entry) {
      const std::uint64_t hash = fnv1a64(site + "|" + source.name);
      entry = std::make_shared<Lane>(world_, site, rules_.limits(site), source,
                                     static_cast<std::size_t>(hash % world_.runtime.size()), hash);
      if (draining_) entry->drain();
    }
    entry->announce();
    lane = entry;
  }
  lane->add(std::move(route), std::move(mails));
}

void LaneDirectory::remove_idle() {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, lane] : lanes_) {
    // Whether it is idle is known on its own thread; while it is not announced to, under our lock,
    // nobody can make it busy.
    boost::asio::post(lane->home(), [this, name = key, candidate = lane] {
      const std::lock_guard again(mutex_);
      const auto found = lanes_.find(name);
      if (found != lanes_.end() && found->second == candidate && candidate->is_idle()) {
        lanes_.erase(found);
      }
    });
  }
}

void LaneDirectory::drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
  for (const auto& [key, lane] : lanes_) lane->drain();
}

std::vector<Lane::Figures> LaneDirectory::figures() const {
  const std::lock_guard lock(mutex_);
  std::vector<Lane::Figures> out;
  out.reserve(lanes_.size());
  for (const auto& [key, lane] : lanes_) out.push_back(lane->figures());
  return out;
}

}  // namespace todoku::delivery::egress
