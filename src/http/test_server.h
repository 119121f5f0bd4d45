// SPDX-License-Identifier: Apache-2.0
// For tests of the server: one on loopback with handlers of every kind, and a client that speaks
// to it octet by octet. Time-outs are real and short; nothing sleeps.
#pragma once

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "async/callback.h"
#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "http/server.h"

namespace todoku::http {

using namespace std::chrono_literals;

// A blocking socket that says exactly what it is told to.
class RawClient {
 public:
  // `from`: the last octet of its own address, 127.0.0.x.
  explicit RawClient(std::uint16_t port, std::uint32_t from = 1)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from);
    ::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    limit_waits();
  }
  explicit RawClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    limit_waits();
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  // False once the server closed.
  bool send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t sent = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  // Until the input holds `text`; returns up to and with it. All there is if the server closes.
  std::string read_through(std::string_view text) {
    std::size_t at = 0;
    while ((at = input_.find(text)) == std::string::npos) {
      if (!read_some()) return std::exchange(input_, {});
    }
    return take(at + text.size());
  }
  std::string read_octets(std::size_t count) {
    while (input_.size() < count && read_some()) {
    }
    return take(count);
  }
  std::string read_to_end() {
    while (read_some()) {
    }
    return std::exchange(input_, {});
  }
  // One response with Content-Length: its status, a space, its body.
  std::string read_response() {
    const std::string head = read_through("\r\n\r\n");
    last_head = head;
    const std::size_t at = head.find("Content-Length: ");
    const std::size_t size = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    return (head.size() < 12 ? head : head.substr(9, 3)) + " " + read_octets(size);
  }
  // True if the connection ended in order, false if by a reset.
  [[nodiscard]] bool ended_in_order() const { return ended_ && !reset_; }

  std::string last_head;

 private:
  void limit_waits() {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  bool read_some() {
    char octets[4096];
    const ssize_t got = ::recv(fd_, octets, sizeof octets, 0);
    ended_ = got <= 0;
    reset_ = got < 0;
    if (got > 0) input_.append(octets, static_cast<std::size_t>(got));
    return got > 0;
  }
  std::string take(std::size_t count) {
    std::string taken = input_.substr(0, count);
    input_.erase(0, count);
    return taken;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  bool reset_ = false;
  std::string input_;
};

// Lets a handler wait until the test says so.
class Gate {
 public:
  // The handler's side.
  void arrive(async::Callback<bool> go_on) {
    const std::lock_guard lock(mutex_);
    waiting_ = std::move(go_on);
    arrived_.notify_all();
  }
  // The test's side.
  void await_arrival() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return static_cast<bool>(waiting_); });
  }
  void open() {
    await_arrival();
    const std::lock_guard lock(mutex_);
    waiting_(true);
    waiting_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  async::Callback<bool> waiting_;
};

inline Gate gate;

inline Task<Response> echo(Request& /*request*/, Body& body) {
  co_return Response::text(200, std::string(body.text()));
}

inline Task<Response> describe(Request& request, Body& /*body*/) {
  std::string text = request.method_name + " " + request.path;
  text += " id=" + std::string(request.parameters.get("id"));
  text += " secure=" + std::to_string(static_cast<int>(request.is_secure));
  text += " from=" + request.remote.address.to_string();
  co_return Response::text(200, std::move(text));
}

inline Task<Response> wait_at_gate(Request& /*request*/, Body& /*body*/) {
  co_await async::from_callback<bool>([](async::Callback<bool> go) { gate.arrive(std::move(go)); });
  co_return Response::text(200, "passed");
}

inline Task<Response> wait_forever(Request& /*request*/, Body& /*body*/) {
  co_await async::sleep_for(1h);
  co_return Response::text(200, "woken");
}

inline Task<Response> count_octets(Request& /*request*/, Body& body) {
  std::size_t count = 0;
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece) co_return Response::text(500, "ignored by the server");
    if (piece->empty()) break;
    count += piece->size();
  }
  co_return Response::text(200, std::to_string(count));
}

inline Task<Response> ignore_body(Request& /*request*/, Body& /*body*/) {
  co_return Response::text(200, "not read");
}

inline Task<Response> throw_something(Request& /*request*/, Body& /*body*/) {
  throw std::runtime_error("deliberate");
  co_return Response();
}

class CountingSource final : public BodySource {
 public:
  CountingSource(int pieces, std::optional<std::uint64_t> length, bool fails)
      : left_(pieces), length_(length), fails_(fails) {}
  Task<Result<std::string_view>> read() override {
    if (left_-- > 0) co_return "piece";
    if (fails_) co_return fail(ErrorKind::io, "deliberate");
    co_return std::string_view();
  }
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }

 private:
  int left_;
  std::optional<std::uint64_t> length_;
  bool fails_;
};

inline Task<Response> give_source(Request& request, Body& /*body*/) {
  const Query query = request.query_parameters();
  std::optional<std::uint64_t> length;
  if (const auto* announced = query.find("length")) length = std::stoul(announced->value);
  Response response = Response::text(200, "");
  response.source = std::make_unique<CountingSource>(3, length, query.find("fail") != nullptr);
  co_return response;
}

// Two gigabytes, in pieces as they are read from a disk.
class LongSource final : public BodySource {
 public:
  Task<Result<std::string_view>> read() override {
    co_return left_-- > 0 ? std::string_view(piece_) : std::string_view();
  }

 private:
  int left_ = 32'768;
  const std::string piece_ = std::string(65'536, 'x');
};

inline Task<Response> give_long(Request& /*request*/, Body& /*body*/) {
  Response response = Response::text(200, "");
  response.source = std::make_unique<LongSource>();
  co_return response;
}

inline Task<Response> give_large(Request& /*request*/, Body& /*body*/) {
  co_return Response::text(200, std::string(3'000'000, 'x'));
}

// The body is that of the owner in the path; "?wait" to have it kept until the gate opens.
inline Task<Response> take_whole(Request& request, Body& body) {
  const auto received =
      co_await body.receive(std::stoul(std::string(request.parameters.get("id"))));
  if (!received) co_return Response::text(500, "ignored by the server");
  if (request.query == "wait") {
    co_await async::from_callback<bool>(
        [](async::Callback<bool> go) { gate.arrive(std::move(go)); });
  }
  co_return Response::text(200, std::to_string(body.text().size()));
}

inline Router test_router() {
  Router router;
  router.add(Method::post, "/echo", {.body_max = 1000}, echo);
  router.add(Method::put, "/echo", {.body_max = 1'000'000}, echo);
  router.add(Method::put, "/secret", {.body_max = 1'000'000, .wiped = true}, echo);
  router.add(Method::get, "/things/{id}", describe);
  router.add(Method::get, "/gate", wait_at_gate);
  router.add(Method::get, "/forever", wait_forever);
  router.add(Method::post, "/count", {.body_max = 10'000'000, .streaming = true}, count_octets);
  router.add(Method::post, "/ignore", {.body_max = 10'000'000, .streaming = true}, ignore_body);
  router.add(Method::post, "/of/{id}", {.body_max = 10'000'000, .streaming = true}, take_whole);
  router.add(Method::get, "/throw", throw_something);
  router.add(Method::get, "/source", give_source);
  router.add(Method::get, "/large", give_large);
  router.add(Method::get, "/long", give_long);
  return router;
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() { runtime_.start(); }

  void TearDown() override {
    if (server_) stop(5s);
    runtime_.join();
    EXPECT_EQ(async::unhandled_exceptions() - exceptions_before_, exceptions_expected_);
  }

  void make(ServerOptions options = {}) {
    server_ = std::make_unique<Server>(std::vector{runtime_.executor(0), runtime_.executor(1)},
                                       clock_, test_router(), options);
  }
  void start(ServerOptions options = {}, std::shared_ptr<net::TlsServerContext> tls = nullptr) {
    make(std::move(options));
    async::run_to_completion(listen(std::move(tls)));
    ASSERT_NE(port_, 0);
  }
  Task<void> listen(std::shared_ptr<net::TlsServerContext> tls) {
    const auto at = net::Endpoint{.address = net::IpAddress::v4({127, 0, 0, 1}), .port = 0};
    const auto local = co_await server_->listen(at, std::move(tls));
    if (local) port_ = local->port;
  }
  void stop(Milliseconds grace) { async::run_to_completion(server_->stop(grace)); }

  // Sends on a connection of its own and gives back all there comes until the server closes.
  std::string all_answers(std::string_view octets) const {
    RawClient client(port_);
    client.send(octets);
    return client.read_to_end();
  }

  // Until a connection was there and none is left; the server's own time-outs bring it about.
  void await_no_connection() const {
    for (;;) {
      const ServerStats stats = server_->stats();
      if (stats.connections_accepted > 0 && stats.connections_open == 0) return;
      ::poll(nullptr, 0, 5);
    }
  }

  // A client that others have made room for. Whoever has just got an answer may not be idle yet.
  [[nodiscard]] std::unique_ptr<RawClient> served_newcomer() const {
    for (;;) {
      auto client = std::make_unique<RawClient>(port_);
      client->send("GET /things/9 HTTP/1.1\r\nHost: example.jp\r\n\r\n");
      if (client->read_response().starts_with("200 ")) return client;
    }
  }
  void await_connections(std::size_t count) const {
    while (server_->stats().connections_open < count) ::poll(nullptr, 0, 5);
  }

  SystemClock clock_;
  async::Runtime runtime_{2};
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::size_t exceptions_before_ = async::unhandled_exceptions();
  std::size_t exceptions_expected_ = 0;
};

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view fields = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: example.jp\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: example.jp\r\n" + std::string(fields) +
         "\r\n";
}

}  // namespace todoku::http
