// SPDX-License-Identifier: Apache-2.0
// The relay's listeners: takes connections on every thread of the runtime, tells whom they speak
// for, and keeps them within bounds. A stop takes no new message, lets those whose content is under
// way come to their end, and says 421 to everybody else at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "access/login_guard.h"
#include "async/file_pool.h"
#include "async/runtime.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/minute_meter.h"
#include "base/result.h"
#include "intake/intake.h"
#include "mail/reply.h"
#include "net/client_counts.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "relay/brakes.h"
#include "relay/logins.h"
#include "relay/name_counts.h"
#include "relay/options.h"
#include "relay/refusals.h"
#include "relay/session.h"
#include "store/store.h"

namespace todoku::relay {

class Server {
 public:
  // All of it outlives the server.
  struct World {
    async::Runtime& runtime;
    store::Store& store;
    intake::Intake& intake;
    async::FilePool& pool;
    const net::ServerCertificates* certificates;  // nullptr: no listener has TLS
    const Clock& clock;
    Metrics& metrics;
    std::function<store::NodeKey()> node;  // this process, asked on any thread
    // Makes up salts for names that there are not (smtp/protocol/sasl_server.h).
    std::string decoy_key;
    CredentialWatch* watch = nullptr;  // nullptr: nothing is held for being odd
  };
  Server(World world, RelayOptions options);
  // stop() was called, if start() was.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds every address on every thread; blocks until all listen. Not on a thread of the runtime.
  // Errors: as net::Listener::open(), with the listener's name; then nothing listens.
  [[nodiscard]] Result<void> start();
  // Listens no more, and ends every session as soon as it is idle. Blocks, but waits for none.
  void begin_stop();
  // Blocks. Sessions that are busy have half of the time until the deadline, so that a client that
  // is silent in the middle of its message leaves some to delivery. True if none had to be cut off.
  bool stop(SteadyInstant deadline);

  // Credentials or accounts have changed. Any thread.
  void credentials_changed() { logins_.forget(); }
  // Who is locked out. Any thread.
  [[nodiscard]] access::LoginGuard& guard() { return guard_; }
  // The addresses bound, in the order of the options; of a Unix socket an empty one. After start().
  [[nodiscard]] std::vector<net::Endpoint> endpoints() const { return endpoints_; }
  // The same for people, with the paths of sockets.
  [[nodiscard]] std::vector<std::string> places() const;
  [[nodiscard]] std::size_t connections_open() const { return open_.load(); }

 private:
  struct Worker;
  // One of both.
  struct Client {
    net::IpAddress address;
    std::optional<std::uint32_t> user = std::nullopt;
  };

  [[nodiscard]] smtp::ServerOptions protocol_of(const ListenerOptions& listener) const;
  [[nodiscard]] Task<Result<void>> start_worker(Worker* worker);
  [[nodiscard]] Result<net::Listener> open_listener(const Worker& worker, std::size_t index) const;
  [[nodiscard]] Task<void> accept_loop(Worker* worker, net::Listener* listener, std::size_t index);
  [[nodiscard]] Task<void> serve(Worker* worker, std::size_t index, net::Stream stream);
  [[nodiscard]] Task<void> serve_user(Worker* worker, std::size_t index, net::Stream stream);
  [[nodiscard]] Task<void> converse(Worker* worker, std::size_t index, net::Stream stream,
                                    Client client);
  [[nodiscard]] Task<void> turn_away(net::Stream stream, Refusals::Whom whom, Reply reply);
  [[nodiscard]] Task<void> begin_stop_worker(Worker* worker);
  [[nodiscard]] Task<void> end_idle_sessions(Worker* worker);
  [[nodiscard]] Task<bool> stop_worker(Worker* worker, SteadyInstant until);

  const World world_;
  const RelayOptions options_;
  const smtp::SaslOptions sasl_;
  std::vector<smtp::ServerOptions> protocols_;  // by listener
  Logins logins_;
  access::LoginGuard guard_;
  MinuteMeter meter_;
  Brakes brakes_;
  NameCounts names_;
  NameCounts users_;  // of this machine
  ContentRoom room_;
  net::ClientCounts clients_;
  SessionMetrics metrics_;
  Refusals refusals_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> open_{0};
  SessionWorld session_world_;
  std::vector<net::Endpoint> endpoints_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace todoku::relay
