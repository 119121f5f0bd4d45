// SPDX-License-Identifier: Apache-2.0
// For tests of the guarded client: a server on a loopback address that answers as badly as its
// request's path says, and remembers what it was asked.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "net/listener.h"
#include "net/tls.h"

namespace todoku::http {

using namespace std::chrono_literals;

class HostileServer {
 public:
  HostileServer(const async::Executor& executor, const Clock& clock,
                std::shared_ptr<const net::TlsServerContext> tls = nullptr)
      : clock_(clock), tls_(std::move(tls)), group_(executor) {}

  // `listener` is of the same executor. On its thread.
  void listen(net::Listener listener) {
    listener_ = std::make_unique<net::Listener>(std::move(listener));
    group_.spawn("accept", accept());
  }
  Task<void> stop() {
    listener_->close();
    co_await group_.stop();
  }

  // The heads of all requests.
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  SteadyInstant soon() { return clock_.steady_now() + 30s; }

  Task<void> accept() {
    while (true) {
      auto stream = co_await listener_->accept();
      if (!stream) co_return;
      group_.spawn("serve", serve(std::move(*stream)));
    }
  }

  Task<void> serve(net::Stream stream) {
    if (tls_) {
      const auto greeted = co_await stream.start_tls_server(tls_, soon());
      if (!greeted) co_return;
    }
    while (stream.is_open()) {
      const std::string head = co_await read_head(stream);
      if (head.empty()) co_return;
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(head);
      }
      const std::string_view path = std::string_view(head).substr(head.find(' ') + 1);
      co_await answer(stream, path.substr(0, path.find(' ')));
    }
  }

  // With the body, which is short; empty at the end.
  Task<std::string> read_head(net::Stream& stream) {
    std::string head;
    std::string piece(16'384, '\0');
    while (!head.ends_with("\r\n\r\n{}")) {
      const auto got = co_await stream.read_some(piece, soon());
      if (!got || *got == 0) co_return std::string();
      head.append(piece, 0, *got);
    }
    co_return head;
  }

  Task<void> answer(net::Stream& stream, std::string_view path) {
    if (path == "/redirect") {
      co_await say(stream,
                   "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n"
                   "Content-Length: 0\r\n\r\n");
    } else if (path == "/drip") {
      co_await say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
      co_await repeat(stream, "x", 5ms);
    } else if (path == "/drip-header") {
      co_await say(stream, "HTTP/1.1 200 OK\r\nX-Long: ");
      co_await repeat(stream, "x", 5ms);
    } else if (path == "/endless") {
      co_await say(stream, "HTTP/1.1 200 OK\r\n\r\n");
      co_await repeat(stream, std::string(16'384, 'x'), 0ms);
    } else if (path == "/header") {
      co_await say(stream, "HTTP/1.1 200 OK\r\n");
      co_await repeat(stream, "X-More: " + std::string(1'000, 'x') + "\r\n", 0ms);
    } else if (path == "/continue") {
      co_await repeat(stream, "HTTP/1.1 100 Continue\r\nX-Again: yes\r\n\r\n", 0ms);
    } else if (path == "/bomb") {
      // What a reader that unpacks would make more of; this one is given what came.
      co_await say(stream,
                   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
                   "\x1F\x8B\x08 no gzip in truth");
    } else if (path == "/break") {
      co_await say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      stream.close();
    } else if (path == "/hang-up") {
      stream.close();
    } else if (path == "/silent") {
      co_await async::sleep_for(1h);
    } else {
      co_await say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }

  Task<void> say(net::Stream& stream, std::string text) {
    const auto written = co_await stream.write(text, soon());
    if (!written) stream.close();
  }
  // Until the client goes.
  Task<void> repeat(net::Stream& stream, std::string text, Milliseconds pause) {
    while (stream.is_open()) {
      const auto written = co_await stream.write(text, soon());
      if (!written) co_return;
      if (pause > 0ms) co_await async::sleep_for(pause);
    }
  }

  const Clock& clock_;
  std::shared_ptr<const net::TlsServerContext> tls_;
  std::unique_ptr<net::Listener> listener_;
  std::mutex mutex_;
  std::vector<std::string> asked_;  // under mutex_
  async::TaskGroup group_;
};

}  // namespace todoku::http
