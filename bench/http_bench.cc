// SPDX-License-Identifier: Apache-2.0
// What the HTTP server costs: one server thread echoing a small answer to 1.5 KB POSTs over
// loopback, one client thread with 32 keep-alive connections in a closed loop.
// Prints name<TAB>value<TAB>unit. `--quick` measures for one second instead of five.
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "async/runtime.h"
#include "base/check.h"
#include "http/json.h"
#include "http/server.h"

namespace todoku::http {
namespace {

constexpr int kConnections = 32;

Task<Response> accept_mail(Request& /*request*/, Body& body) {
  JsonWriter json;
  json.begin_object();
  json.member("delivery_id", body.text().size());
  json.end_object();
  co_return Response::json(201, json.take());
}

Task<Response> parse_mail(Request& /*request*/, Body& body) {
  JsonArena arena;
  const auto value = parse_json(body.text(), arena);
  co_return Response::json(value ? 201 : 400, R"({"delivery_id":1})");
}

std::string request_text(std::string_view path) {
  std::string body = R"({"from":{"email":"sender@example.com","name":"Sender"},)"
                     R"("to":"recipient@example.jp","subject":"A subject","text_part":")";
  body.append(1500 - body.size() - 2, 'x');
  body += "\"}";
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: mail.example.com\r\nUser-Agent: bench/1.0\r\n"
      "Accept: application/json\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      path, std::string(88, 'A'), body.size(), body);
}

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0, "connects");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

struct Figures {
  double requests_per_second = 0;
  double server_us_per_request = 0;
};

// Each connection sends the next request when the response is there; responses are one packet.
Figures load(std::uint16_t port, std::string_view request, double duration) {
  const int epoll = ::epoll_create1(0);
  std::vector<int> sockets;
  for (int i = 0; i < kConnections; ++i) {
    const int fd = connect_to(port);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    sockets.push_back(fd);
    check(::send(fd, request.data(), request.size(), 0) > 0, "sends");
  }
  const double begun = seconds(CLOCK_MONOTONIC);
  const double process = seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double own = seconds(CLOCK_THREAD_CPUTIME_ID);
  double now = begun;
  std::uint64_t done = 0;
  char response[4096];
  while (now - begun < duration) {
    epoll_event events[kConnections];
    const int count = ::epoll_wait(epoll, events, kConnections, 1000);
    for (int i = 0; i < count; ++i) {
      const ssize_t got = ::recv(events[i].data.fd, response, sizeof response, 0);
      check(got > 12 && std::string_view(response + 9, 3) == "201", "the answer is 201");
      check(::send(events[i].data.fd, request.data(), request.size(), 0) > 0, "sends");
      ++done;
    }
    now = seconds(CLOCK_MONOTONIC);
  }
  const double server_cpu =
      seconds(CLOCK_PROCESS_CPUTIME_ID) - process - (seconds(CLOCK_THREAD_CPUTIME_ID) - own);
  for (const int fd : sockets) ::close(fd);
  ::close(epoll);
  const auto requests = static_cast<double>(done);
  return {.requests_per_second = requests / (now - begun),
          .server_us_per_request = 1e6 * server_cpu / requests};
}

Task<void> listen(Server& server, std::uint16_t& port) {
  const auto local = co_await server.listen({net::IpAddress::v4({127, 0, 0, 1}), 0});
  check(local.has_value(), "listens");
  port = local->port;
}

void report(std::string_view name, const Figures& figures) {
  fmt::print("{}\t{:.0f}\treq/s\n", name, figures.requests_per_second);
  fmt::print("{}_cpu\t{:.2f}\tus/req\n", name, figures.server_us_per_request);
  fmt::print("{}_per_core\t{:.0f}\treq/s\n", name, 1e6 / figures.server_us_per_request);
}

void run(double duration) {
  const SystemClock clock;
  async::Runtime runtime(1);
  runtime.start();
  Router router;
  router.add(Method::post, "/api/v1/deliveries/transaction", accept_mail);
  router.add(Method::post, "/api/v1/deliveries/parsed", parse_mail);
  Server server({runtime.executor(0)}, clock, std::move(router));
  std::uint16_t port = 0;
  async::run_to_completion(listen(server, port));
  load(port, request_text("/api/v1/deliveries/transaction"), duration / 5);
  report("http_post_1500b", load(port, request_text("/api/v1/deliveries/transaction"), duration));
  report("http_post_1500b_json", load(port, request_text("/api/v1/deliveries/parsed"), duration));
  async::run_to_completion(server.stop(Milliseconds(1000)));
  runtime.join();
}

}  // namespace
}  // namespace todoku::http

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  todoku::http::run(quick ? 1.0 : 5.0);
  return 0;
}
