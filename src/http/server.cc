// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <utility>

#include <boost/asio/dispatch.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/log.h"
#include "http/connection.h"

namespace todoku::http {
namespace {

// Connections of one thread that are being told 503. More are closed without a word.
constexpr std::size_t kRefusingMax = 32;
// Open streams beyond connections_max, so that there is room to refuse politely.
constexpr std::size_t kRefusalRoom = 256;
constexpr Milliseconds kAcceptPause{100};

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const std::string octets = random_octets(sizeof seed);
  std::memcpy(&seed, octets.data(), sizeof seed);
  return seed;
}

}  // namespace

struct Server::Shared {
  Shared(const Clock& the_clock, Router the_router, ServerOptions the_options)
      : clock(the_clock), router(std::move(the_router)), options(std::move(the_options)) {}

  const Clock& clock;
  const Router router;
  const ServerOptions options;
  std::atomic<std::size_t> connections_open = 0;
  std::atomic<std::uint64_t> connections_accepted = 0;
  std::atomic<std::uint64_t> connections_refused = 0;
  std::atomic<std::uint64_t> requests = 0;
};

// The connections of one executor. busy(), adopt() and ask_to_stop() are for any thread, the rest
// for that one.
class Server::Worker {
 public:
  Worker(Shared& shared, async::Executor executor)
      : shared_(shared),
        ids_(random_seed()),
        context_{.router = shared.router,
                 .options = shared.options,
                 .clock = shared.clock,
                 .ids = ids_,
                 .date = date_,
                 .requests = shared.requests},
        ended_(executor),
        tasks_(executor) {}

  [[nodiscard]] std::size_t busy() const { return busy_.load(std::memory_order_relaxed); }
  [[nodiscard]] const async::Executor& executor() const { return tasks_.executor(); }

  void adopt(net::Stream stream, std::shared_ptr<const net::TlsServerContext> tls) {
    busy_.fetch_add(1, std::memory_order_relaxed);
    boost::asio::dispatch(executor(),
                          [this, stream = std::move(stream), tls = std::move(tls)]() mutable {
                            start(std::move(stream), std::move(tls));
                          });
  }

  // From any thread, before stop(), so that all workers run out at the same time.
  void ask_to_stop() {
    boost::asio::dispatch(executor(), [this] {
      stopping_ = true;
      for (Connection* connection : connections_) connection->ask_to_stop();
    });
  }

  [[nodiscard]] Task<void> stop(SteadyInstant deadline) {
    while (busy() > 0 && shared_.clock.steady_now() < deadline) {
      co_await ended_.wait_until(deadline);
    }
    co_await tasks_.stop();
  }

 private:
  void start(net::Stream stream, std::shared_ptr<const net::TlsServerContext> tls) {
    const std::size_t open = shared_.connections_open.fetch_add(1) + 1;
    shared_.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    if (open <= shared_.options.connections_max && !stopping_) {
      tasks_.spawn("http connection", serve(std::move(stream), std::move(tls)));
      return;
    }
    shared_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    // A TLS handshake would cost more than the refusal saves.
    if (tls || stopping_ || refusing_ >= kRefusingMax) {
      stream.close();
      leave();
      return;
    }
    tasks_.spawn("http refusal", refuse(std::move(stream)));
  }

  [[nodiscard]] Task<void> serve(net::Stream stream,
                                 std::shared_ptr<const net::TlsServerContext> tls) {
    const Leaving leaving{*this};
    Connection connection(context_, std::move(stream));
    const Listed listed(connections_, connection);
    co_await connection.run(std::move(tls));
  }

  [[nodiscard]] Task<void> refuse(net::Stream stream) {
    const Leaving leaving{*this};
    const Refusing counted{++refusing_};
    Connection connection(context_, std::move(stream));
    co_await connection.refuse();
  }

  void leave() {
    shared_.connections_open.fetch_sub(1);
    busy_.fetch_sub(1, std::memory_order_relaxed);
    ended_.notify();
  }

  struct Leaving {
    Worker& worker;
    ~Leaving() { worker.leave(); }
  };
  struct Refusing {
    std::size_t& count;
    ~Refusing() { --count; }
  };

  // Keeps a connection in the list as long as it runs.
  class Listed {
   public:
    Listed(std::list<Connection*>& list, Connection& connection)
        : list_(list), at_(list.insert(list.end(), &connection)) {}
    ~Listed() { list_.erase(at_); }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

   private:
    std::list<Connection*>& list_;
    std::list<Connection*>::iterator at_;
  };

  Shared& shared_;
  SeededRandom ids_;
  DateText date_;
  ConnectionContext context_;
  std::atomic<std::size_t> busy_ = 0;  // connections handed over and not yet ended
  std::list<Connection*> connections_;
  std::size_t refusing_ = 0;
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
  for (const async::Executor& executor : executors) {
    workers_.push_back(std::make_unique<Worker>(*shared_, executor));
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
  options.connections_max = shared_->options.connections_max + kRefusalRoom;
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
  for (;;) {
    Worker& worker = least_busy();
    auto stream = co_await acceptor->listener.accept(worker.executor());
    if (stream) {
      worker.adopt(std::move(*stream), acceptor->tls);
      continue;
    }
    const ErrorKind kind = stream.error().kind;
    if (kind == ErrorKind::closed || kind == ErrorKind::cancelled) co_return;
    log::error("http accept failed", {{"reason", stream.error().detail}});
    const bool waited = co_await async::sleep_for(kAcceptPause);
    if (!waited) co_return;
  }
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
  return {.connections_open = shared_->connections_open.load(),
          .connections_accepted = shared_->connections_accepted.load(),
          .connections_refused = shared_->connections_refused.load(),
          .requests = shared_->requests.load()};
}

}  // namespace todoku::http
