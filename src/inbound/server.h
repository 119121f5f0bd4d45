// SPDX-License-Identifier: Apache-2.0
// The listeners for mail that comes in: takes connections on every thread of the runtime and keeps
// them within bounds. A stop takes no new mail, lets those whose content is under way come to their
// end, and says 421 to everybody else at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/line_budget.h"
#include "base/metrics.h"
#include "base/minute_meter.h"
#include "base/result.h"
#include "inbound/filters.h"
#include "inbound/handler.h"
#include "inbound/options.h"
#include "inbound/room.h"
#include "inbound/session.h"
#include "net/client_counts.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/server_certificates.h"

namespace todoku::inbound {

class Server {
 public:
  // `handling.secret` seals return paths. All of it outlives the server.
  struct World {
    async::Runtime& runtime;
    const net::ServerCertificates& certificates;
    const Clock& clock;
    Metrics& metrics;
    Handler::World handling;
  };
  Server(World world, InboundOptions options);
  // stop() was called, if start() was.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds every address on every thread; blocks until all listen. Not on a thread of the runtime.
  // Errors: as net::Listener::open(); then nothing listens.
  [[nodiscard]] Result<void> start();
  // Listens no more, and ends every session as soon as it is idle. Blocks, but waits for none.
  void begin_stop();
  // Blocks. Sessions that are busy have half of the time until the deadline. True if none had to be
  // cut off.
  bool stop(SteadyInstant deadline);

  // The addresses bound, in the order of the options. After start().
  [[nodiscard]] const std::vector<net::Endpoint>& endpoints() const { return endpoints_; }

 private:
  struct Worker;

  [[nodiscard]] Task<Result<void>> start_worker(Worker* worker);
  [[nodiscard]] Task<void> accept_loop(Worker* worker, net::Listener* listener);
  [[nodiscard]] Task<void> serve(Worker* worker, net::Stream stream);
  [[nodiscard]] Task<void> converse(Worker* worker, net::Stream stream, net::IpAddress client);
  [[nodiscard]] Task<void> turn_away(net::Stream stream, std::string text);
  [[nodiscard]] Task<void> begin_stop_worker(Worker* worker);
  [[nodiscard]] Task<void> end_idle_sessions(Worker* worker);
  [[nodiscard]] Task<bool> stop_worker(Worker* worker, SteadyInstant until);

  const World world_;
  const InboundOptions options_;
  const smtp::ServerOptions protocol_;
  Filters filters_;
  Handler handler_;
  Rooms rooms_;
  MinuteMeter meter_;
  LineBudget lines_;
  net::ClientCounts clients_;
  SessionMetrics metrics_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> open_{0};
  SessionWorld session_world_;
  std::vector<net::Endpoint> endpoints_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace todoku::inbound
