// SPDX-License-Identifier: Apache-2.0
// Sink: receivers of mail that behave as scripted and count what reaches them. For tests,
// demonstrations and load; nothing that arrives is delivered anywhere.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/runtime.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/result.h"
#include "dns/resolver.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "sink/connection.h"
#include "sink/options.h"
#include "sink/report.h"

namespace todoku::sink {

class Sink {
 public:
  // Reads certificates and keys and opens the files of `options`. `resolver` is asked for DKIM keys
  // that the key file does not have; nullptr: none. `clock` must outlive the sink.
  // Errors: invalid_input (an address that is not loopback without allow_public, no receiver, a
  // receiver without address), not_found, corrupt, io.
  [[nodiscard]] static Result<std::unique_ptr<Sink>> create(
      Options options, const Clock& clock, std::shared_ptr<dns::Resolver> resolver = nullptr);
  ~Sink();  // stop() was called, if start() was
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // Binds every address on every thread of `runtime`, which must run; blocks until all listen. The
  // kernel spreads connections over the threads. Not to be called on one of them.
  // Errors: as Listener::open; then nothing listens.
  [[nodiscard]] Result<void> start(async::Runtime& runtime);
  // Ends all connections and returns when none is left. Not on a thread of the runtime.
  void stop();

  // The addresses bound by receiver `index`, in the order of its options; port 0 is resolved.
  [[nodiscard]] const std::vector<net::Endpoint>& endpoints(std::size_t index = 0) const {
    return endpoints_[index];
  }
  // PEM certificates that make every receiver with TLS mode good provable, and those with expired
  // or wrong_name fail for just that reason. Empty: none.
  [[nodiscard]] const std::string& certificates() const { return certificates_; }

  // Thread-safe, at any time.
  [[nodiscard]] Report report() const;
  // Writes what is buffered and the report file, if there is one. Errors: io.
  [[nodiscard]] Result<void> write_files() const;

 private:
  // What lives on one thread.
  struct Worker {
    Worker(async::Executor the_executor, std::size_t receivers)
        : executor(the_executor), tally(receivers), tasks(the_executor) {}
    async::Executor executor;
    ThreadTally tally;
    std::deque<net::Listener> listeners;  // accept loops keep references
    async::TaskGroup tasks;
  };

  Sink(Options options, const Clock& clock);
  [[nodiscard]] Result<void> prepare(std::shared_ptr<dns::Resolver> resolver);
  [[nodiscard]] Result<void> prepare_tls(ReceiverState& state);
  [[nodiscard]] Task<Result<void>> start_worker(Worker* worker);
  [[nodiscard]] Task<void> stop_worker(Worker* worker);
  [[nodiscard]] Task<void> accept_loop(Worker* worker, net::Listener* listener, std::size_t index);
  [[nodiscard]] Task<void> serve(Worker* worker, std::size_t index, net::Stream stream);

  Options options_;
  const Clock& clock_;
  Instant started_;
  Shared shared_;
  std::deque<ReceiverState> receivers_;
  std::vector<std::vector<net::Endpoint>> endpoints_;
  std::string certificates_;
  std::vector<std::unique_ptr<Worker>> workers_;  // also after stop(), for the report
  bool running_ = false;
};

}  // namespace todoku::sink
