// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/dispatch.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/log.h"
#include "http/body_room.h"
#include "http/connection.h"
#include "http/connection_list.h"
#include "http/held_bodies.h"
#include "net/client_counts.h"

namespace todoku::http {
namespace {

constexpr std::string_view kFull = "the server has as many connections as it can serve";
constexpr std::string_view kTooManyOfOne =
    "this client has as many connections as one client may have";
constexpr Milliseconds kAcceptPause{100};
constexpr Milliseconds kPlacePause{10};

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const std::string octets = random_octets(sizeof seed);
  std::memcpy(&seed, octets.data(), sizeof seed);
  return seed;
}

// A client's entry among those that are counted, until a connection takes it over.
class ClientPlace {
 public:
  ClientPlace(net::ClientCounts& clients, const net::IpAddress& client)
      : clients_(&clients), client_(client) {}
  ClientPlace(const ClientPlace&) = delete;
  ClientPlace& operator=(const ClientPlace&) = delete;
  ~ClientPlace() {
    if (clients_ != nullptr) clients_->leave(client_);
  }
  void hand_on() { clients_ = nullptr; }

 private:
  net::ClientCounts* clients_;
  const net::IpAddress client_;
};

}  // namespace

struct Server::Shared {
  Shared(const Clock& the_clock, Router the_router, ServerOptions the_options)
      : clock(the_clock),
        router(std::move(the_router)),
        options(std::move(the_options)),
        clients(options.connections_per_client_max, options.trusted),
        bodies(options.bodies_octets_max) {}

  const Clock& clock;
  const Router router;
  const ServerOptions options;
  net::ClientCounts clients;
  BodyRoom bodies;
  std::atomic<std::size_t> serving = 0;
  std::atomic<std::uint64_t> connections_accepted = 0;
  std::atomic<std::uint64_t> connections_refused = 0;
  std::atomic<std::uint64_t> connections_displaced = 0;
  std::atomic<std::uint64_t> responses_cut = 0;
  std::atomic<std::uint64_t> requests = 0;
};

// The connections of one executor. displace_longest_waiting() and stop() are for its thread, the
// others for any.
class Server::Worker {
 public:
  // What is this worker's part. `refusals_max`: of each of both kinds.
  struct Part {
    std::size_t refusals_max;
    std::size_t held_octets_max;
  };
  Worker(Shared& shared, async::Executor executor, Part part)
      : shared_(shared),
        refusals_max_(part.refusals_max),
        ids_(random_seed()),
        held_(part.held_octets_max),
        context_{.router = shared.router,
                 .options = shared.options,
                 .clock = shared.clock,
                 .ids = ids_,
                 .date = date_,
                 .held = held_,
                 .bodies = shared.bodies,
                 .responses_cut = shared.responses_cut,
                 .requests = shared.requests},
        ended_(executor),
        tasks_(executor) {}

  [[nodiscard]] std::size_t busy() const { return busy_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t refusing() const { return refusing_.load() + turning_away_.load(); }
  [[nodiscard]] const async::Executor& executor() const { return tasks_.executor(); }
  [[nodiscard]] SteadyInstant longest_wait_since() const { return served_.longest_wait_since(); }

  // The connection's client has entered `clients`.
  void serve(net::Stream stream, std::shared_ptr<const net::TlsServerContext> tls) {
    Place place(*this, shared_.serving, stream.remote().address);
    start(std::move(place), [this, stream = std::move(stream),
                             tls = std::move(tls)](Place taken) mutable {
      tasks_.spawn("http connection", run(std::move(stream), std::move(tls), std::move(taken)));
    });
  }

  // Whose client has more connections than it may have. Of these the oldest is closed where they
  // are too many, read or unread: they are one client's, and must hold up nobody else.
  void refuse(net::Stream stream, std::shared_ptr<const net::TlsServerContext> tls) {
    begin_refusal(refused_, std::move(stream), std::move(tls), kTooManyOfOne);
  }
  // Whether one more can be turned away without closing one that had no time to read its answer.
  [[nodiscard]] bool may_turn_away(SteadyInstant now) const {
    return turning_away_.load() < refusals_max_ ||
           turned_away_.longest_wait_since() <= now - shared_.options.displaced_after;
  }
  // For whom there is no place.
  void turn_away(net::Stream stream, std::shared_ptr<const net::TlsServerContext> tls) {
    begin_refusal(turned_away_, std::move(stream), std::move(tls), kFull);
  }

  // False if nobody waits any more.
  [[nodiscard]] Task<bool> displace_longest_waiting() {
    Connection* const connection = served_.longest_waiting();
    if (connection == nullptr) co_return false;
    connection->give_way();
    shared_.connections_displaced.fetch_add(1, std::memory_order_relaxed);
    co_return true;
  }

  // From any thread, before stop(), so that all workers run out at the same time.
  void ask_to_stop() {
    boost::asio::dispatch(executor(), [this] {
      stopping_ = true;
      served_.for_each([](Connection& connection) { connection.ask_to_stop(); });
      // They have been told all there is to tell.
      for (ConnectionList* list : {&refused_, &turned_away_}) {
        while (Connection* connection = list->longest_waiting()) connection->give_way();
      }
    });
  }

  [[nodiscard]] Task<void> stop(SteadyInstant deadline) {
    while (busy() > 0 && shared_.clock.steady_now() < deadline) {
      co_await ended_.wait_until(deadline);
    }
    co_await tasks_.stop();
  }

 private:
  // A place among the connections, given back whatever becomes of the connection.
  class Place {
   public:
    // `kind`: how many of its kind there are.
    Place(Worker& worker, std::atomic<std::size_t>& kind, std::optional<net::IpAddress> client)
        : worker_(&worker), kind_(&kind), client_(client) {
      kind_->fetch_add(1);
      worker_->busy_.fetch_add(1, std::memory_order_relaxed);
    }
    Place(Place&& other) noexcept
        : worker_(std::exchange(other.worker_, nullptr)),
          kind_(other.kind_),
          client_(other.client_),
          arrived_(other.arrived_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (worker_ == nullptr) return;
      if (client_) worker_->shared_.clients.leave(*client_);
      kind_->fetch_sub(1);
      worker_->busy_.fetch_sub(1, std::memory_order_relaxed);
      if (arrived_) worker_->ended_.notify();
    }
    // On the worker's thread, where who waits for its end can be told of it.
    void arrive() { arrived_ = true; }

   private:
    Worker* worker_;
    std::atomic<std::size_t>* kind_;
    std::optional<net::IpAddress> client_;
    bool arrived_ = false;
  };

  // Has `spawn` called with the place on this worker's thread. Without memory for that, the
  // connection is lost, and nothing else.
  template <class Spawn>
  void start(Place place, Spawn spawn) {
    try {
      boost::asio::dispatch(
          executor(), [place = std::move(place), spawn = std::move(spawn)]() mutable {
            place.arrive();
            try {
              spawn(std::move(place));
            } catch (...) {
              async::report_exception("http connection", std::current_exception());
            }
          });
    } catch (...) {
      async::report_exception("http connection", std::current_exception());
    }
  }

  void begin_refusal(ConnectionList& list, net::Stream stream,
                     std::shared_ptr<const net::TlsServerContext> tls, std::string_view reason) {
    shared_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    Place place(*this, &list == &refused_ ? refusing_ : turning_away_, std::nullopt);
    start(std::move(place), [this, &list, stream = std::move(stream), tls = std::move(tls),
                             reason](Place taken) mutable {
      if (list.size() >= refusals_max_ && list.longest_waiting() != nullptr) {
        list.longest_waiting()->give_way();
      }
      tasks_.spawn("http refusal",
                   run_refusal(list, std::move(stream), std::move(tls), reason, std::move(taken)));
    });
  }

  [[nodiscard]] Task<void> run(net::Stream stream, std::shared_ptr<const net::TlsServerContext> tls,
                               Place /*place*/) {
    if (stopping_) co_return;
    Connection connection(context_, served_, std::move(stream));
    co_await connection.run(std::move(tls));
  }

  [[nodiscard]] Task<void> run_refusal(ConnectionList& list, net::Stream stream,
                                       std::shared_ptr<const net::TlsServerContext> tls,
                                       std::string_view reason, Place /*place*/) {
    if (stopping_) co_return;
    Connection connection(context_, list, std::move(stream));
    co_await connection.refuse(reason, std::move(tls));
  }

  Shared& shared_;
  const std::size_t refusals_max_;
  SeededRandom ids_;
  DateText date_;
  HeldBodies held_;
  ConnectionContext context_;
  std::atomic<std::size_t> busy_ = 0;  // connections handed over and not yet ended
  ConnectionList served_;
  ConnectionList refused_;
  ConnectionList turned_away_;
  std::atomic<std::size_t> refusing_ = 0;
  std::atomic<std::size_t> turning_away_ = 0;
  bool stopping_ = false;
  async::Signal ended_;
  async::TaskGroup tasks_;
};

struct Server::Acceptor {
  net::Listener listener;
  std::shared_ptr<const net::TlsServerContext> tls;
};

Server::Server(std::vector<async::Executor> executors, const Clock& clock, Router router,
               ServerOptions options)
    : shared_(std::make_unique<Shared>(clock, std::move(router), std::move(options))),
      accepting_(
          (check(!executors.empty(), "a server has at least one executor"), executors.front())) {
  const ServerOptions& all = shared_->options;
  const Worker::Part part{
      .refusals_max = std::max<std::size_t>(1, all.refusals_max / (2 * executors.size())),
      .held_octets_max = all.held_octets_max / executors.size()};
  for (const async::Executor& executor : executors) {
    workers_.push_back(std::make_unique<Worker>(*shared_, executor, part));
  }
}

Server::~Server() = default;

Task<Result<net::Endpoint>> Server::listen(net::Endpoint at,
                                           std::shared_ptr<const net::TlsServerContext> tls) {
  return async::run_on(accepting_.executor(), open_tcp(at, std::move(tls)));
}

Task<Result<void>> Server::listen_unix(std::string path) {
  return async::run_on(accepting_.executor(), open_unix(std::move(path)));
}

net::ListenOptions Server::listen_options() const {
  net::ListenOptions options;
  options.connections_max =
      shared_->options.connections_max + shared_->options.refusals_max + kNewcomersMax;
  return options;
}

Task<Result<net::Endpoint>> Server::open_tcp(net::Endpoint at,
                                             std::shared_ptr<const net::TlsServerContext> tls) {
  auto listener = net::Listener::open(accepting_.executor(), at, listen_options());
  if (!listener) co_return fail(listener.error());
  const net::Endpoint local = listener->local();
  start_accepting(std::move(*listener), std::move(tls));
  co_return local;
}

Task<Result<void>> Server::open_unix(std::string path) {
  auto listener = net::Listener::open_unix(accepting_.executor(), path, listen_options());
  if (!listener) co_return fail(listener.error());
  start_accepting(std::move(*listener), nullptr);
  co_return Result<void>();
}

void Server::start_accepting(net::Listener listener,
                             std::shared_ptr<const net::TlsServerContext> tls) {
  acceptors_.push_back(std::make_unique<Acceptor>(std::move(listener), std::move(tls)));
  accepting_.spawn("http accept", accept_loop(acceptors_.back().get()));
}

Server::Worker& Server::least_busy() const {
  return **std::ranges::min_element(workers_, {},
                                    [](const auto& worker) { return worker->busy(); });
}

Task<void> Server::accept_loop(Acceptor* acceptor) {
  bool pausing = false;
  for (bool going_on = true; going_on;) {
    // One newcomer for whom there was no memory is no reason to hear of no other.
    try {
      if (pausing) {
        going_on = co_await async::sleep_for(kAcceptPause);
        pausing = false;
      } else {
        going_on = co_await accept_one(acceptor);
      }
    } catch (...) {
      async::report_exception("http accept", std::current_exception());
      pausing = true;
    }
  }
}

Task<bool> Server::accept_one(Acceptor* acceptor) {
  Worker& worker = least_busy();
  auto stream = co_await acceptor->listener.accept(worker.executor());
  if (stream) {
    co_await admit(std::move(*stream), acceptor, worker);
    co_return true;
  }
  const ErrorKind kind = stream.error().kind;
  if (kind == ErrorKind::closed || kind == ErrorKind::cancelled) co_return false;
  log::error("http accept failed", {{"reason", stream.error().detail}});
  co_return co_await async::sleep_for(kAcceptPause);
}

Task<void> Server::admit(net::Stream stream, const Acceptor* acceptor, Worker& worker) {
  const net::IpAddress client = stream.remote().address;
  shared_->connections_accepted.fetch_add(1, std::memory_order_relaxed);
  if (!shared_->clients.enter(client)) {
    tell_refused(client, kTooManyOfOne);
    worker.refuse(std::move(stream), acceptor->tls);
    co_return;
  }
  ClientPlace entered(shared_->clients, client);
  for (;;) {
    bool room = shared_->serving.load() < shared_->options.connections_max;
    if (!room) room = co_await make_room();
    if (room) {
      entered.hand_on();
      worker.serve(std::move(stream), acceptor->tls);
      co_return;
    }
    if (worker.may_turn_away(shared_->clock.steady_now())) break;
    // All places to say no at are taken by clients that have yet to hear it. This one waits, and
    // those behind it do in the system's queue: to close on one of them without a word would look
    // like a broken server.
    const bool waited = co_await async::sleep_for(kPlacePause);
    if (!waited) co_return;
  }
  tell_refused(client, kFull);
  worker.turn_away(std::move(stream), acceptor->tls);
}

void Server::tell_refused(const net::IpAddress& client, std::string_view reason) {
  if (!refused_lines_.take(shared_->clock.steady_now())) return;
  log::warning("connections refused", {{"client", client.to_string()},
                                       {"reason", reason},
                                       {"refused", shared_->connections_refused.load() + 1}});
}

Task<bool> Server::make_room() {
  // More than one try: who waited may have begun to work meanwhile.
  for (std::size_t tries = 0; tries < workers_.size(); ++tries) {
    Worker& worker = **std::ranges::min_element(
        workers_, {}, [](const auto& each) { return each->longest_wait_since(); });
    const SteadyInstant latest = shared_->clock.steady_now() - shared_->options.displaced_after;
    if (worker.longest_wait_since() > latest) co_return false;
    const bool displaced =
        co_await async::run_on(worker.executor(), worker.displace_longest_waiting());
    if (displaced) co_return true;
  }
  co_return false;
}

Task<void> Server::move_acceptors(Server* next) {
  co_await accepting_.stop();  // the sockets stay open: who comes now waits in their queues
  for (const auto& acceptor : std::exchange(acceptors_, {})) {
    next->start_accepting(std::move(acceptor->listener), acceptor->tls);
  }
}

Task<void> Server::hand_over(Server& next) {
  check(accepting_.executor() == next.accepting_.executor(), "listeners stay on their executor");
  return async::run_on(accepting_.executor(), move_acceptors(&next));
}

Task<void> Server::stop_accepting() {
  for (const auto& acceptor : acceptors_) acceptor->listener.close();
  co_await accepting_.stop();
  acceptors_.clear();
}

Task<void> Server::stop(Milliseconds grace) {
  co_await async::run_on(accepting_.executor(), stop_accepting());
  const SteadyInstant deadline = shared_->clock.steady_now() + grace;
  for (const auto& worker : workers_) worker->ask_to_stop();
  for (const auto& worker : workers_) {
    co_await async::run_on(worker->executor(), worker->stop(deadline));
  }
}

ServerStats Server::stats() const {
  std::size_t refusing = 0;
  for (const auto& worker : workers_) refusing += worker->refusing();
  const BodyRoom::Figures bodies = shared_->bodies.figures();
  return {.connections_open = shared_->serving.load() + refusing,
          .connections_accepted = shared_->connections_accepted.load(),
          .connections_refused = shared_->connections_refused.load(),
          .connections_displaced = shared_->connections_displaced.load(),
          .responses_cut = shared_->responses_cut.load(),
          .bodies_octets = bodies.octets,
          .bodies_refused = bodies.refused,
          .bodies_cut = bodies.cut,
          .requests = shared_->requests.load()};
}

}  // namespace todoku::http
