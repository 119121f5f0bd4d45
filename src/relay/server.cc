// SPDX-License-Identifier: Apache-2.0
#include "relay/server.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "async/run_blocking.h"
#include "async/timer.h"
#include "base/log.h"
#include "net/proxy_protocol.h"
#include "relay/words.h"

namespace todoku::relay {
namespace {

constexpr Milliseconds kAcceptPause{100};
constexpr Milliseconds kStopLook{50};
constexpr Milliseconds kHandshake = std::chrono::seconds(30);
constexpr Milliseconds kProxyHeader = std::chrono::seconds(5);
constexpr Milliseconds kFarewell = std::chrono::seconds(2);
constexpr std::size_t kTextLineOctetsMax = std::size_t{64} << 10U;

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

// Of all connections, those that only users of this machine may have.
std::size_t kept_for_users(const RelayOptions& options) {
  constexpr std::size_t kUsersShare = 8;
  constexpr std::size_t kUsersMost = 64;
  return std::ranges::any_of(options.listeners, &ListenerOptions::is_for_users)
             ? std::min(options.connections_max / kUsersShare, kUsersMost)
             : 0;
}

// Whom a connection by a proxy speaks for.
Task<Result<net::IpAddress>> client_behind_proxy(net::Stream& stream, SteadyInstant deadline) {
  net::ProxyProtocolParser parser;
  std::array<char, net::ProxyProtocolParser::kLengthMax> octets;
  for (;;) {
    // What comes after the header is the client's, and not read here.
    const std::size_t most = std::min(parser.wanted(), octets.size());
    const auto got = co_await stream.read_some(std::span(octets).first(most), deadline);
    if (!got) co_return fail(got.error());
    if (*got == 0) co_return fail(ErrorKind::closed, "the proxy closed before its header");
    std::string_view piece(octets.data(), *got);
    const auto whole = parser.take(piece);
    if (!whole) co_return fail(whole.error());
    if (!*whole) continue;
    const net::ProxyHeader& header = parser.header();
    co_return header.local ? stream.remote().address : header.source.address;
  }
}

}  // namespace

// What lives on one thread.
struct Server::Worker {
  explicit Worker(async::Executor the_executor) : executor(the_executor), tasks(the_executor) {}
  async::Executor executor;
  std::deque<net::Listener> listeners;  // accept loops keep references
  std::set<Session*> sessions;
  async::TaskGroup tasks;
};

Server::Server(World world, RelayOptions options)
    : world_(std::move(world)),
      options_(std::move(options)),
      sasl_{.decoy_key = world_.decoy_key},
      logins_(world_.store, world_.clock, options_.closed_account),
      brakes_(options_, meter_),
      room_(options_.content_octets_max),
      clients_(options_.connections_per_network_max, {}),
      metrics_(world_.metrics),
      refusals_(world_.metrics, world_.clock),
      session_world_{.options = options_,
                     .sasl = sasl_,
                     .store = world_.store,
                     .intake = world_.intake,
                     .logins = logins_,
                     .guard = guard_,
                     .room = room_,
                     .node = world_.node,
                     .brakes = brakes_,
                     .names = names_,
                     .watch = world_.watch,
                     .pool = world_.pool,
                     .certificates = world_.certificates,
                     .clock = world_.clock,
                     .metrics = metrics_,
                     .refusals = refusals_,
                     .stopping = stopping_} {
  for (const ListenerOptions& listener : options_.listeners) {
    protocols_.push_back(protocol_of(listener));
  }
}

Server::~Server() = default;

smtp::ServerOptions Server::protocol_of(const ListenerOptions& listener) const {
  const bool is_device = listener.is_for_devices();
  const bool is_login = !is_device && !listener.is_for_users();
  smtp::ServerOptions protocol;
  protocol.hostname = options_.hostname;
  protocol.starttls = listener.tls == ListenerTls::starttls;
  protocol.unqualified = listener.is_for_users();
  protocol.size_max = is_device ? options_.device_message_octets_max : options_.message_octets_max;
  protocol.auth_mechanisms = is_login ? smtp::kSaslMechanisms : "";
  protocol.auth_in_clear = listener.auth_in_clear;
  protocol.auth_required = is_login;
  protocol.tls_required = is_login && !listener.auth_in_clear;
  protocol.dsn = true;
  protocol.strict = true;
  protocol.text_line_octets_max = kTextLineOctetsMax;
  protocol.recipients_max = is_device ? options_.device_recipients_max : options_.recipients_max;
  return protocol;
}

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
  for (std::size_t index = 0; index < options_.listeners.size(); ++index) {
    const ListenerOptions& wanted = options_.listeners[index];
    const bool is_first = worker == workers_.front().get();
    if (wanted.is_for_users() && !is_first) continue;
    auto listener = open_listener(*worker, index);
    if (!listener) {
      co_return fail(fmt::format("the SMTP listener {}", wanted.name), listener.error());
    }
    if (is_first) endpoints_.push_back(listener->local());
    worker->listeners.push_back(std::move(*listener));
    worker->tasks.spawn("smtp-in listener", accept_loop(worker, &worker->listeners.back(), index));
  }
  co_return Result<void>();
}

Result<net::Listener> Server::open_listener(const Worker& worker, std::size_t index) const {
  const ListenerOptions& wanted = options_.listeners[index];
  net::ListenOptions how{.connections_max = options_.connections_max + 64};
  if (wanted.is_for_users()) {
    // Who connects is who the kernel says: that nobody is kept out is no danger.
    how.unix_mode = 0666;
    return net::Listener::open_unix(worker.executor, wanted.socket, how);
  }
  how.reuse_port = true;
  // The first thread settles port 0 for the others.
  const net::Endpoint at = index < endpoints_.size() ? endpoints_[index] : wanted.at;
  return net::Listener::open(worker.executor, at, how);
}

std::vector<std::string> Server::places() const {
  std::vector<std::string> places;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const ListenerOptions& listener = options_.listeners[i];
    places.push_back(listener.is_for_users() ? listener.socket : endpoints_[i].to_string());
  }
  return places;
}

void Server::begin_stop() {
  if (stopping_.exchange(true)) return;
  for (const auto& worker : workers_) {
    async::run_blocking(worker->executor, begin_stop_worker(worker.get()));
  }
}

Task<void> Server::begin_stop_worker(Worker* worker) {
  for (net::Listener& listener : worker->listeners) listener.close();
  worker->tasks.spawn("smtp-in stop", end_idle_sessions(worker));
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

Task<void> Server::accept_loop(Worker* worker, net::Listener* listener, std::size_t index) {
  for (;;) {
    auto stream = co_await listener->accept();
    if (stream) {
      worker->tasks.spawn("smtp-in connection", serve(worker, index, std::move(*stream)));
      continue;
    }
    if (stream.error().kind != ErrorKind::io) co_return;
    log::warning("accepting SMTP connections failed", {{"reason", stream.error().detail}});
    const bool waited = co_await async::sleep_for(kAcceptPause);
    if (!waited) co_return;
  }
}

Task<void> Server::serve(Worker* worker, std::size_t index, net::Stream stream) {
  const ListenerOptions& listener = options_.listeners[index];
  if (listener.is_for_users()) {
    co_await serve_user(worker, index, std::move(stream));
    co_return;
  }
  net::IpAddress client = stream.remote().address;
  if (listener.proxy_protocol) {
    if (!net::contain(listener.proxy_networks, client)) {
      log::info("an SMTP connection that came by no proxy was closed",
                {{"listener", listener.name}, {"client", client.to_string()}});
      co_return;
    }
    const auto behind =
        co_await client_behind_proxy(stream, world_.clock.steady_now() + kProxyHeader);
    if (!behind) {
      log::info("a proxy's header was refused", {{"listener", listener.name},
                                                 {"proxy", client.to_string()},
                                                 {"reason", behind.error().detail}});
      co_return;
    }
    client = *behind;
  }
  if (!clients_.enter(client)) {
    co_await turn_away(std::move(stream), {.client = client.to_string(), .listener = listener.name},
                       words::too_many_connections(true));
    co_return;
  }
  const PlaceOfClient place(clients_, client);
  co_await converse(worker, index, std::move(stream), {.address = client});
}

Task<void> Server::serve_user(Worker* worker, std::size_t index, net::Stream stream) {
  const auto user = stream.peer_user();
  if (!user) {
    log::warning("who connects to the submission socket is not known", {});
    co_return;
  }
  const NameCounts::Place place = users_.enter(
      std::to_string(*user), static_cast<std::int64_t>(options_.connections_per_network_max));
  if (!place) {
    co_await turn_away(
        std::move(stream),
        {.client = client_name(net::IpAddress(), user), .listener = options_.listeners[index].name},
        words::too_many_of_user());
    co_return;
  }
  co_await converse(worker, index, std::move(stream), {.user = user});
}

Task<void> Server::converse(Worker* worker, std::size_t index, net::Stream stream, Client client) {
  const Counted counted(open_);
  const ListenerOptions& listener = options_.listeners[index];
  const auto whom = [&]() -> Refusals::Whom {
    return {.client = client_name(client.address, client.user), .listener = listener.name};
  };
  // However many come over the network, cron's mail and PHP's finds a place.
  const std::size_t kept = client.user ? 0 : kept_for_users(options_);
  if (open_.load() > options_.connections_max - kept) {
    co_await turn_away(std::move(stream), whom(), words::too_many_connections(false));
    co_return;
  }
  const NameCounts::Place place = names_.enter("l " + listener.name, listener.connections_max);
  if (!place) {
    co_await turn_away(std::move(stream), whom(), words::too_many_connections(false));
    co_return;
  }
  std::optional<net::TlsInfo> tls;
  if (listener.tls == ListenerTls::implicit) {
    auto secured = co_await stream.start_tls_server(
        world_.certificates->context(listener.old_tls ? net::TlsAge::old : net::TlsAge::modern),
        world_.clock.steady_now() + kHandshake);
    if (!secured) {
      // Balancers look whether the port is open, and close.
      if (secured.error().kind != ErrorKind::closed) {
        refusals_.tell_no_handshake(whom(), secured.error().detail);
      }
      co_return;
    }
    tls = std::move(*secured);
  }
  Session session(session_world_, listener, protocols_[index], std::move(stream), client.address,
                  client.user, std::move(tls));
  const Listed listed(worker->sessions, session);
  co_await session.run();
}

Task<void> Server::turn_away(net::Stream stream, Refusals::Whom whom, Reply reply) {
  refusals_.tell(whom, {.code = reply.code, .text = reply.text}, nullptr);
  const auto written = co_await stream.write(fmt::format("{} {}\r\n", reply.code, reply.text),
                                             world_.clock.steady_now() + kFarewell);
  if (!written) co_return;
  stream.finish_writing();
}

}  // namespace todoku::relay
