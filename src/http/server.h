// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server over net::Stream: keep-alive, pipelining, chunked bodies, TLS, Unix sockets,
// on as many threads as it is given.
//
// One task accepts; each connection lives from its first to its last octet on one of the executors,
// the one with the fewest. Handlers run there, too. Every wait has a limit, so that no client can
// hold a connection by being slow, silent or half gone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/line_budget.h"
#include "base/result.h"
#include "http/message.h"
#include "http/router.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/network.h"
#include "net/stream.h"
#include "net/tls.h"

namespace todoku::http {

// One request and what became of it, for metrics and logs.
struct Exchange {
  const Request& request;
  const Route* route;  // nullptr: none fitted
  int status;          // 0: the client left before there was an answer
  std::uint64_t body_received;
  Microseconds duration;  // from the complete head to the last octet handed to the system
};

struct ServerOptions {
  // Beyond these the connection that has waited for its client for longest, and at least
  // displaced_after, makes room: nothing of it is in work. If none has, the newcomer gets 503.
  std::size_t connections_max = 4096;
  Milliseconds displaced_after{1'000};
  // Of one client (an IPv4 address, the /64 of an IPv6 one) that is in no trusted network; more get
  // 503. 0: no limit.
  std::size_t connections_per_client_max = 0;
  std::vector<net::Network> trusted;
  // Connections that are being told 503: one half for those of clients that have too many, where
  // the oldest is closed for one more, read or unread; one for those that found no place, where it
  // keeps displaced_after to read its answer, and newcomers wait meanwhile.
  std::size_t refusals_max = 64;
  std::size_t head_max = std::size_t{16} * 1024;  // octets of request line and header fields

  Milliseconds idle_timeout{75'000};  // between requests; above the 60 s of usual load balancers
  // For a whole head from its first octet on; for the first one from the connection's begin, TLS
  // included. No octet moves it.
  Milliseconds head_timeout{15'000};
  Milliseconds body_timeout{30'000};  // silence within a body
  // Octets a second that a body must bring on average once it took body_timeout. Only time spent
  // waiting for the client counts.
  std::size_t body_rate_min = 1024;
  Milliseconds write_timeout{30'000};  // until 256 KiB more, or a source's piece, have gone
  // Octets a second that a client must take of a response on average once it took write_timeout.
  // Only time spent waiting for the client counts.
  std::size_t write_rate_min = std::size_t{8} * 1024;
  // Octets that responses may keep in memory for clients that read slowly. Beyond these the one
  // whose client has been at it for longest, and at least displaced_after, is cut; if there is
  // none, 503 takes the place of the newest. Sources keep a piece each and do not count.
  std::size_t held_octets_max = std::size_t{64} << 20U;
  // Octets that request bodies may keep in memory, where a handler wants them as a whole; small
  // ones do not count. An owner (Body::receive()) has no more of it than it leaves to others.
  // Beyond it a body waits for displaced_after, cutting those that bring less than crowded_rate_min
  // for as long; if that makes no room, it is answered 503.
  std::size_t bodies_octets_max = std::size_t{128} << 20U;
  std::size_t crowded_rate_min = std::size_t{32} * 1024;  // octets a second
  // After a response to a request that was not read to its end: how long a silent client is
  // listened to, so that it reads the response before it sees the connection break.
  Milliseconds linger_timeout{5'000};

  FailureResponder failure_responder = plain_failure;
  // Called after every exchange on its connection's thread; may be empty.
  std::function<void(const Exchange&)> observer;
};

struct ServerStats {
  std::size_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;    // 503: beyond one of the limits
  std::uint64_t connections_displaced = 0;  // made room for others
  std::uint64_t responses_cut = 0;          // made room in memory for others
  std::size_t bodies_octets = 0;            // of requests, in memory; without the small ones
  std::uint64_t bodies_refused = 0;         // 503: no room for them
  std::uint64_t bodies_cut = 0;             // slow ones that made room for others
  std::uint64_t requests = 0;
};

class Server {
 public:
  // Streams a listener may have beyond those that are served or refused: just accepted ones, for
  // which others have yet to make room.
  static constexpr std::size_t kNewcomersMax = 8;

  // `executors` (at least one) and `clock` must outlive the server.
  Server(std::vector<async::Executor> executors, const Clock& clock, Router router,
         ServerOptions options = {});
  // stop() was awaited, or listen() never succeeded.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Begins to accept at `at` (port 0 takes a free one), with TLS if `tls` is given. May be called
  // for several addresses. Returns the address. Errors: those of net::Listener::open().
  [[nodiscard]] Task<Result<net::Endpoint>> listen(
      net::Endpoint at, std::shared_ptr<const net::TlsServerContext> tls = nullptr);
  // Begins to accept at a Unix socket that only this user may connect to.
  [[nodiscard]] Task<Result<void>> listen_unix(std::string path);

  // Accepts no more, and `next` does at the same addresses, with no moment at which nobody listens.
  // Connections that were accepted here stay here. `next` has the same first executor. Before
  // stop(); from any executor, once.
  [[nodiscard]] Task<void> hand_over(Server& next);

  // Stops accepting, closes idle connections, lets requests in flight finish within `grace`, then
  // cancels the rest; returns when no connection is left. From any executor, once.
  [[nodiscard]] Task<void> stop(Milliseconds grace);

  // From any thread.
  [[nodiscard]] ServerStats stats() const;

 private:
  class Worker;
  struct Shared;
  struct Acceptor;

  [[nodiscard]] Task<Result<net::Endpoint>> open_tcp(
      net::Endpoint at, std::shared_ptr<const net::TlsServerContext> tls);
  [[nodiscard]] Task<Result<void>> open_unix(std::string path);
  [[nodiscard]] net::ListenOptions listen_options() const;
  void start_accepting(net::Listener listener, std::shared_ptr<const net::TlsServerContext> tls);
  [[nodiscard]] Task<void> accept_loop(Acceptor* acceptor);
  // False: there are no more.
  [[nodiscard]] Task<bool> accept_one(Acceptor* acceptor);
  // Hands a new connection to `worker`, to be served or refused.
  [[nodiscard]] Task<void> admit(net::Stream stream, const Acceptor* acceptor, Worker& worker);
  // Closes the connection that has waited for longest. False: none has for long enough.
  [[nodiscard]] Task<bool> make_room();
  // Says that clients are refused, once a minute at most.
  void tell_refused(const net::IpAddress& client, std::string_view reason);
  [[nodiscard]] Worker& least_busy() const;
  [[nodiscard]] Task<void> move_acceptors(Server* next);
  [[nodiscard]] Task<void> stop_accepting();

  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;  // used on the first executor only
  LineBudget refused_lines_{1, std::chrono::minutes(1)};
  async::TaskGroup accepting_;
};

}  // namespace todoku::http
