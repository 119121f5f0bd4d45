// SPDX-License-Identifier: Apache-2.0
#include "inbound/server.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "async/run_blocking.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/log.h"

namespace todoku::inbound {
namespace {

constexpr Milliseconds kAcceptPause{100};
constexpr Milliseconds kStopLook{50};
constexpr Milliseconds kFarewell = std::chrono::seconds(2);
constexpr std::size_t kTextLineOctetsMax = std::size_t{64} << 10U;
constexpr std::size_t kRefusalLinesOfMinute = 60;

smtp::ServerOptions protocol_of(const InboundOptions& options) {
  smtp::ServerOptions protocol;
  protocol.hostname = options.hostname;
  protocol.starttls = true;
  protocol.size_max = options.message_octets_max;
  protocol.strict = true;
  protocol.text_line_octets_max = kTextLineOctetsMax;
  protocol.recipients_max = Session::kRecipientsMax;
  return protocol;
}

// These give back what a connection had, whatever became of it.
class Counted {
 public:
  explicit Counted(std::atomic<std::size_t>& open) : open_(open) { open_.fetch_add(1); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { open_.fetch_sub(1); }

 private:
  std::atomic<std::size_t>& open_;
};

class PlaceOfClient {
 public:
  PlaceOfClient(net::ClientCounts& clients, const net::IpAddress& client)
      : clients_(clients), client_(client) {}
  PlaceOfClient(const PlaceOfClient&) = delete;
  PlaceOfClient& operator=(const PlaceOfClient&) = delete;
  ~PlaceOfClient() { clients_.leave(client_); }

 private:
  net::ClientCounts& clients_;
  const net::IpAddress client_;
};

// A session among those that a stop ends.
class Listed {
 public:
  Listed(std::set<Session*>& sessions, Session& session) : sessions_(sessions), session_(&session) {
    sessions_.insert(session_);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() { sessions_.erase(session_); }

 private:
  std::set<Session*>& sessions_;
  Session* const session_;
};

}  // namespace

// What lives on one thread.
struct Server::Worker {
  explicit Worker(async::Executor the_executor) : executor(the_executor), tasks(the_executor) {}
  async::Executor executor;
  std::deque<net::Listener> listeners;  // accept loops keep references
  std::set<Session*> sessions;
  async::TaskGroup tasks;
};

Server::Server(World world, InboundOptions options)
    : world_(std::move(world)),
      options_(std::move(options)),
      protocol_(protocol_of(options_)),
      filters_(options_, world_.clock, world_.metrics),
      handler_(world_.handling, options_),
      rooms_(options_.content_octets_max, Session::kReturnedOctetsKept,
             static_cast<std::size_t>(options_.message_octets_max)),
      lines_(kRefusalLinesOfMinute, std::chrono::minutes(1)),
      clients_(options_.connections_per_network_max, {}),
      metrics_(world_.metrics),
      session_world_{.options = options_,
                     .protocol = protocol_,
                     .secret = world_.handling.secret,
                     .filters = filters_,
                     .handler = handler_,
                     .rooms = rooms_,
                     .meter = meter_,
                     .lines = lines_,
                     .certificates = world_.certificates,
                     .clock = world_.clock,
                     .metrics = metrics_,
                     .stopping = stopping_} {}

Server::~Server() = default;

// ---- starting and stopping ---------------------------------------------------------------------

Result<void> Server::start() {
  for (std::size_t i = 0; i < world_.runtime.size(); ++i) {
    workers_.push_back(std::make_unique<Worker>(world_.runtime.executor(i)));
    Worker* worker = workers_.back().get();
    auto started = async::run_blocking(worker->executor, start_worker(worker));
    if (started) continue;
    stop(world_.clock.steady_now());
    return started;
  }
  return {};
}

Task<Result<void>> Server::start_worker(Worker* worker) {
  for (std::size_t i = 0; i < options_.listen.size(); ++i) {
    // The first thread settles port 0 for the others.
    const net::Endpoint at = i < endpoints_.size() ? endpoints_[i] : options_.listen[i];
    auto listener =
        net::Listener::open(worker->executor, at,
                            {.reuse_port = true, .connections_max = options_.connections_max + 64});
    if (!listener) {
      co_return fail(fmt::format("the inbound listener {}", at.to_string()), listener.error());
    }
    if (i >= endpoints_.size()) endpoints_.push_back(listener->local());
    worker->listeners.push_back(std::move(*listener));
    worker->tasks.spawn("inbound listener", accept_loop(worker, &worker->listeners.back()));
  }
  co_return Result<void>();
}

void Server::begin_stop() {
  if (stopping_.exchange(true)) return;
  for (const auto& worker : workers_) {
    async::run_blocking(worker->executor, begin_stop_worker(worker.get()));
  }
}

Task<void> Server::begin_stop_worker(Worker* worker) {
  for (net::Listener& listener : worker->listeners) listener.close();
  worker->tasks.spawn("inbound stop", end_idle_sessions(worker));
  co_return;
}

Task<void> Server::end_idle_sessions(Worker* worker) {
  for (bool goes_on = true; goes_on;) {
    for (Session* const session : std::set<Session*>(worker->sessions)) {
      if (worker->sessions.contains(session)) session->end_if_idle();
    }
    goes_on = co_await async::sleep_for(kStopLook);
  }
}

bool Server::stop(SteadyInstant deadline) {
  begin_stop();
  const SteadyInstant now = world_.clock.steady_now();
  const SteadyInstant until = now + std::max(deadline - now, Microseconds(0)) / 2;
  bool clean = true;
  for (const auto& worker : workers_) {
    clean = async::run_blocking(worker->executor, stop_worker(worker.get(), until)) && clean;
  }
  workers_.clear();
  return clean;
}

Task<bool> Server::stop_worker(Worker* worker, SteadyInstant until) {
  while (!worker->sessions.empty() && world_.clock.steady_now() < until) {
    const bool waited = co_await async::sleep_for(kStopLook);
    if (!waited) break;
  }
  const bool clean =
      std::ranges::none_of(worker->sessions, [](const Session* s) { return s->is_busy(); });
  co_await worker->tasks.stop();
  worker->listeners.clear();
  co_return clean;
}

// ---- connections -------------------------------------------------------------------------------

Task<void> Server::accept_loop(Worker* worker, net::Listener* listener) {
  for (;;) {
    auto stream = co_await listener->accept();
    if (stream) {
      worker->tasks.spawn("inbound connection", serve(worker, std::move(*stream)));
      continue;
    }
    if (stream.error().kind != ErrorKind::io) co_return;
    log::warning("accepting connections of inbound mail failed",
                 {{"reason", stream.error().detail}});
    const bool waited = co_await async::sleep_for(kAcceptPause);
    if (!waited) co_return;
  }
}

Task<void> Server::serve(Worker* worker, net::Stream stream) {
  const net::IpAddress client = stream.remote().address;
  if (!clients_.enter(client)) {
    co_await turn_away(std::move(stream), "4.7.0 Too many connections from your network");
    co_return;
  }
  const PlaceOfClient place(clients_, client);
  co_await converse(worker, std::move(stream), client);
}

Task<void> Server::converse(Worker* worker, net::Stream stream, net::IpAddress client) {
  const Counted counted(open_);
  if (open_.load() > options_.connections_max) {
    co_await turn_away(std::move(stream), "4.3.2 Too many connections, come back in a moment");
    co_return;
  }
  Session session(session_world_, std::move(stream), client);
  const Listed listed(worker->sessions, session);
  co_await session.run();
}

Task<void> Server::turn_away(net::Stream stream, std::string text) {
  metrics_.refusals.add();
  const auto written = co_await stream.write(fmt::format("{} {}\r\n", kServiceClosing, text),
                                             world_.clock.steady_now() + kFarewell);
  if (!written) co_return;
  stream.finish_writing();
}

}  // namespace todoku::inbound
