// SPDX-License-Identifier: Apache-2.0
// For tests of server connections: an owner that does as told, and a client at the other end of a
// socket pair, both in simulated time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "async/task_group.h"
#include "async/timer.h"
#include "async/timer_clock.h"
#include "base/clock.h"
#include "smtp/server/connection.h"

namespace todoku::smtp {

class ScriptedOwner final : public ServerOwner {
 public:
  // What steps are answered; others are accepted.
  std::map<ServerEvent, ServerAnswer> answers;
  // Where it takes its time, and how much.
  std::optional<ServerEvent> slow;
  Microseconds takes{};
  SteadyInstant until = SteadyInstant::max();  // its deadline()
  bool heeds_stop = true;                      // when that wait is cut short
  std::shared_ptr<const net::TlsServerContext> tls;

  // What came of it.
  std::vector<std::string> messages;
  std::string content;
  std::size_t pieces = 0;
  std::size_t largest_piece = 0;
  int discards = 0;
  std::vector<std::string> refusals;

  ServerConnection* connection = nullptr;

  Task<ServerAnswer> answer(ServerStep step) override {
    if (slow == step.event) {
      const bool written = co_await connection->flush();
      const bool waited = co_await async::sleep_for(takes);
      if (!written || (!waited && heeds_stop)) co_return ServerAnswer{.hang_up = true};
    }
    const bool begins = step.event == ServerEvent::mail || step.event == ServerEvent::hello;
    if (begins) content.clear();
    const auto found = answers.find(step.event);
    if (found != answers.end()) co_return found->second;
    if (step.event == ServerEvent::message) messages.push_back(std::exchange(content, {}));
    co_return ServerAnswer{};
  }

  Task<void> take(std::string_view piece) override {
    if (slow == ServerEvent::content) co_await async::sleep_for(takes);
    content += piece;
    ++pieces;
    largest_piece = std::max(largest_piece, piece.size());
  }

  void discard() override {
    content.clear();
    ++discards;
  }

  [[nodiscard]] SteadyInstant deadline() const override { return until; }

  void refused(int code, std::string_view text) override {
    refusals.push_back(std::to_string(code) + " " + std::string(text));
  }

  Task<Result<net::TlsInfo>> shake_hands(net::Stream& stream, SteadyInstant deadline) override {
    if (!tls) return ServerOwner::shake_hands(stream, deadline);
    return stream.start_tls_server(tls, deadline);
  }
};

class Dialogue {
 public:
  ServerOptions protocol{.hostname = "mx.example.jp"};
  ServerPatience patience;
  ScriptedOwner owner;

  Dialogue() = default;
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;
  ~Dialogue() {
    hang_up();
    group_.cancel();
    pass(std::chrono::hours(1));
  }

  // Opens the connection.
  void begin() {
    std::array<int, 2> ends{};
    const int made =
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data());
    ASSERT_EQ(made, 0);
    client_ = ends[0];
    server_ = ends[1];
    auto stream = net::Stream::adopt(context_.get_executor(), server_);
    ASSERT_TRUE(stream);
    const ServerSettings settings{.protocol = protocol, .clock = clock_, .patience = patience};
    connection_.emplace(settings, std::move(*stream), owner);
    owner.connection = &*connection_;
    group_.spawn("connection", run());
  }

  // Says octets, and returns what has been answered since the last time.
  std::string say(std::string_view octets) {
    poll();
    while (!octets.empty()) {
      const ssize_t sent = ::send(client_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      octets.remove_prefix(static_cast<std::size_t>(sent));
      poll();
    }
    return heard();
  }
  std::string pass(Microseconds time) {
    poll();
    clock_.advance(time);
    return heard();
  }
  std::string stop() {
    group_.cancel();
    return heard();
  }
  std::string heard() {
    poll();
    std::string all;
    std::array<char, 4096> buffer{};
    while (hears_ && client_ >= 0) {
      const ssize_t got = ::recv(client_, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        closed_ = closed_ || got == 0 || errno == ECONNRESET;
        break;
      }
      all.append(buffer.data(), static_cast<std::size_t>(got));
      poll();
    }
    return all;
  }
  // The client's end, for one who says things itself.
  net::Stream take_client() {
    return net::Stream::adopt(context_.get_executor(), std::exchange(client_, -1)).value();
  }
  void stop_hearing() { hears_ = false; }
  void hang_up() {
    if (client_ >= 0) ::close(std::exchange(client_, -1));
    poll();
  }

  // How the connection ended; nullopt: it has not.
  [[nodiscard]] std::optional<ServerEnd> end() const { return end_; }
  // The client has seen the end of what the server says.
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] SteadyInstant now() const { return clock_.steady_now(); }
  [[nodiscard]] int server_socket() const { return server_; }

  void poll() {
    context_.restart();
    context_.poll();
  }
  [[nodiscard]] async::Executor executor() { return context_.get_executor(); }

 private:
  Task<void> run() { end_ = co_await connection_->run(); }

  FakeClock clock_;
  async::SimulatedTime time_{clock_};
  boost::asio::io_context context_{1};
  int client_ = -1;
  int server_ = -1;
  bool hears_ = true;
  bool closed_ = false;
  std::optional<ServerEnd> end_;
  std::optional<ServerConnection> connection_;
  async::TaskGroup group_{context_.get_executor()};
};

}  // namespace todoku::smtp
