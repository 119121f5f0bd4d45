// SPDX-License-Identifier: Apache-2.0
// Accepting connections on a TCP port or a Unix socket.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "async/task.h"
#include "net/endpoint.h"
#include "net/stream.h"

namespace todoku::net {

struct ListenOptions {
  int backlog = 1024;
  bool reuse_port = false;  // several listeners on one port, the kernel spreads connections
  // Streams of this listener that may be open at once; more wait in the kernel's queue.
  std::size_t connections_max = 10'000;
  // Of a Unix socket: who may connect. 0600 is this user alone, 0666 everybody.
  unsigned unix_mode = 0600;
};

// Lives on one executor; every member is called there.
class Listener {
 public:
  // Port 0 takes a free one; local() tells which. Errors: conflict (in use), unauthorized (port
  // needs privileges), invalid_input (not our address), io.
  [[nodiscard]] static Result<Listener> open(async::Executor executor, Endpoint at,
                                             ListenOptions options = {});
  // Makes a socket in place of a stale one at `path`.
  // Errors: conflict (somebody listens there), invalid_input (path too long), io.
  [[nodiscard]] static Result<Listener> open_unix(async::Executor executor, const std::string& path,
                                                  ListenOptions options = {});
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  // Closes. No accept() may be under way.
  ~Listener();

  // The next connection, for use on `executor` (another thread's, if wanted). Waits while
  // connections_max are open and, with a warning in the log, while the machine is short of files or
  // memory. Errors: closed (by close()), cancelled, io. One accept() at a time.
  [[nodiscard]] Task<Result<Stream>> accept(async::Executor executor);
  // The same for use on the listener's own executor.
  [[nodiscard]] Task<Result<Stream>> accept();

  // Ends accept() with `closed`; streams already accepted live on. May be repeated.
  void close();

  [[nodiscard]] const Endpoint& local() const;
  // Streams accepted here that are still open.
  [[nodiscard]] std::size_t connections_open() const;

 private:
  class Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace todoku::net
