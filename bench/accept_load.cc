// SPDX-License-Identifier: Apache-2.0
// Posts transactions over keep-alive connections and tells how long the answers took; the load of
// the benchmark `accept`. One thread, plain sockets, so that little of the machine goes to it; what
// does is told.
//
//   todoku_accept_load --port P --token T --connections N --seconds S [--rate R] [--sender ADDRESS]
//
// Without a rate every connection posts again as soon as it has its answer. With one, requests are
// due at even intervals whatever the answers do, and an answer's time counts from when its request
// was due: a server that stalls is not spared the requests it kept from being sent.
// Every mail goes to t<number>@one.example; its subject holds the time of sending in milliseconds,
// for `latency_header` of `todoku sink`.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace todoku {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;  // all times here are nanoseconds
constexpr std::int64_t kPatience = 30 * kSecond;

std::int64_t now_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return (now.tv_sec * kSecond) + now.tv_nsec;
}

struct Options {
  std::uint16_t port = 0;
  std::string token;
  std::size_t connections = 64;
  double seconds = 5;
  double rate = 0;  // requests/s; 0: as fast as answers come
  std::string sender = "shop@plain.example";
  std::uint64_t first = 0;  // number of the first recipient
};

// One request's octets, made once; number and time are written into their places.
class RequestText {
 public:
  explicit RequestText(const Options& options) {
    std::string text = "__name__ 様、ご注文ありがとうございます。";
    for (int line = 0; line < 11; ++line) {
      text += "\\n";
      for (int i = 0; i < 6; ++i) text += "本文の行です。";
    }
    const std::string body = fmt::format(
        R"({{"from":{{"email":"{}"}},"to":"t{}@one.example","subject":"Order {}","text_part":"{}",)"
        R"("insert_code":[{{"key":"__name__","value":"受信者{}"}}]}})",
        options.sender, kNumberPlace, kTimePlace, text, kNumberPlace);
    text_ = fmt::format(
        "POST /api/v1/deliveries/transaction HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
        "{}",
        options.port, options.token, body.size(), body);
    time_at_ = text_.find(kTimePlace);
    first_number_at_ = text_.find(kNumberPlace);
    last_number_at_ = text_.rfind(kNumberPlace);
  }

  std::string_view next(std::uint64_t number) {
    write_digits(first_number_at_, kNumberPlace.size(), number);
    write_digits(last_number_at_, kNumberPlace.size(), number);
    write_digits(time_at_, kTimePlace.size(),
                 static_cast<std::uint64_t>(now_of(CLOCK_REALTIME) / 1'000'000));
    return text_;
  }

 private:
  static constexpr std::string_view kNumberPlace = "<number.>";
  static constexpr std::string_view kTimePlace = "<milliseconds";

  void write_digits(std::size_t at, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i > 0; --i, value /= 10) {
      text_[at + i - 1] = static_cast<char>('0' + (value % 10));
    }
  }

  std::string text_;
  std::size_t time_at_ = 0;
  std::size_t first_number_at_ = 0;
  std::size_t last_number_at_ = 0;
};

// The status of a complete response at the front of `octets`, or nothing yet.
std::optional<int> response_status(std::string_view octets) {
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t head = octets.find("\r\n\r\n");
  if (head == std::string_view::npos) return std::nullopt;
  std::size_t length = 0;
  const std::size_t at = octets.substr(0, head).find(kLength);
  if (at != std::string_view::npos) {
    std::from_chars(octets.data() + at + kLength.size(), octets.data() + head, length);
  }
  if (octets.size() < head + 4 + length) return std::nullopt;
  int status = 0;
  std::from_chars(octets.data() + std::strlen("HTTP/1.1 "), octets.data() + head, status);
  return status;
}

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), request_(options), number_(options.first), epoll_(::epoll_create1(0)) {
    for (std::size_t i = 0; i < options.connections; ++i) open_connection();
  }

  void run() {
    begun_ = now_of(CLOCK_MONOTONIC);
    end_ = begun_ + static_cast<std::int64_t>(options_.seconds * kSecond);
    while (true) {
      const std::int64_t now = now_of(CLOCK_MONOTONIC);
      if (now >= end_ && idle_.size() == connections_.size()) break;
      check(now < end_ + kPatience, "the server answers");
      send_what_is_due(now);
      wait_for_answers();
    }
    finished_ = now_of(CLOCK_MONOTONIC);
  }

  void print() {
    std::ranges::sort(latencies_);
    const double seconds = static_cast<double>(last_answer_ - begun_) / kSecond;
    const double cpu = static_cast<double>(now_of(CLOCK_PROCESS_CPUTIME_ID)) / kSecond;
    line("accepted", static_cast<double>(latencies_.size()), "requests");
    line("refused", static_cast<double>(refused_), "requests");
    line("rate", static_cast<double>(latencies_.size()) / seconds, "requests/s");
    line("p50", percentile(0.50), "ms");
    line("p99", percentile(0.99), "ms");
    line("max", percentile(1.0), "ms");
    line("client_cpu", cpu * kSecond / static_cast<double>(finished_ - begun_), "cores");
  }

 private:
  struct Connection {
    int fd = -1;
    std::int64_t due = 0;
    std::string got;
  };

  static void line(std::string_view name, double value, std::string_view unit) {
    fmt::print("{}\t{:.6g}\t{}\n", name, value, unit);
  }

  void open_connection() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(options_.port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0, "connects");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = connections_.size()}};
    check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll takes a socket");
    idle_.push_back(connections_.size());
    connections_.push_back({.fd = fd});
  }

  // When the next request is to be sent at the earliest.
  [[nodiscard]] std::int64_t next_due() const {
    if (options_.rate <= 0) return begun_;
    return begun_ + static_cast<std::int64_t>(static_cast<double>(sent_) * kSecond / options_.rate);
  }

  void send_what_is_due(std::int64_t now) {
    while (!idle_.empty()) {
      const std::int64_t due = next_due();
      if (due > now || std::max(due, options_.rate <= 0 ? now : due) >= end_) return;
      // By turns, or at a low rate the server would close those that are never used.
      Connection& connection = connections_[idle_.front()];
      idle_.pop_front();
      connection.due = options_.rate <= 0 ? now_of(CLOCK_MONOTONIC) : due;
      const std::string_view text = request_.next(number_++);
      ++sent_;
      const ssize_t took = ::send(connection.fd, text.data(), text.size(), MSG_NOSIGNAL);
      check(took == static_cast<ssize_t>(text.size()), "a request fits into the socket");
    }
  }

  void wait_for_answers() {
    std::int64_t wait = kSecond / 10;
    if (options_.rate > 0 && !idle_.empty()) {
      wait = std::clamp<std::int64_t>(next_due() - now_of(CLOCK_MONOTONIC), 0, wait);
    }
    const timespec timeout{.tv_sec = wait / kSecond, .tv_nsec = wait % kSecond};
    epoll_event events[256];
    const int count = ::epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
    for (int i = 0; i < count; ++i) take_answer(events[i].data.u64);
  }

  void take_answer(std::size_t index) {
    Connection& connection = connections_[index];
    char buffer[4096];
    const ssize_t got = ::recv(connection.fd, buffer, sizeof buffer, 0);
    check(got > 0, "the server keeps connections open");
    connection.got.append(buffer, static_cast<std::size_t>(got));
    const auto status = response_status(connection.got);
    if (!status) return;
    connection.got.clear();
    idle_.push_back(index);
    last_answer_ = now_of(CLOCK_MONOTONIC);
    if (*status == 201) {
      latencies_.push_back(static_cast<double>(last_answer_ - connection.due) / 1e6);
    } else {
      ++refused_;
    }
  }

  [[nodiscard]] double percentile(double share) const {
    if (latencies_.empty()) return 0;
    const auto at = static_cast<std::size_t>(static_cast<double>(latencies_.size()) * share);
    return latencies_[std::min(at, latencies_.size() - 1)];
  }

  const Options& options_;
  RequestText request_;
  std::uint64_t number_;
  int epoll_;
  std::vector<Connection> connections_;
  std::deque<std::size_t> idle_;
  std::vector<double> latencies_;  // milliseconds, of the accepted
  std::uint64_t sent_ = 0;
  std::uint64_t refused_ = 0;
  std::int64_t begun_ = 0;
  std::int64_t end_ = 0;
  std::int64_t finished_ = 0;
  std::int64_t last_answer_ = 0;
};

}  // namespace
}  // namespace todoku

int main(int argc, char** argv) {
  todoku::Options options;
  CLI::App app("Posts transactions and tells how long the answers took");
  app.add_option("--port", options.port)->required();
  app.add_option("--token", options.token)->required();
  app.add_option("--connections", options.connections);
  app.add_option("--seconds", options.seconds);
  app.add_option("--rate", options.rate);
  app.add_option("--sender", options.sender);
  app.add_option("--first", options.first);
  CLI11_PARSE(app, argc, argv);
  todoku::Load load(options);
  load.run();
  load.print();
  return 0;
}
