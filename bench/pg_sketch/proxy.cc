// SPDX-License-Identifier: Apache-2.0
#include "proxy.h"

#include <array>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace todoku::pg_sketch {
namespace {

using Clock = std::chrono::steady_clock;

// Follows the server's messages: one octet of type, four of length (which counts itself).
class Messages {
 public:
  // How many of those that end a wait are in `octets`.
  std::uint64_t count(std::string_view octets) {
    std::uint64_t waits = 0;
    while (!octets.empty()) {
      if (head_.size() < 5) {
        const std::size_t taken = std::min(5 - head_.size(), octets.size());
        head_ += octets.substr(0, taken);
        octets.remove_prefix(taken);
        if (head_.size() < 5) break;
        left_ = 0;
        for (std::size_t i = 1; i < 5; ++i)
          left_ = left_ << 8U | static_cast<unsigned char>(head_[i]);
        left_ -= 4;
        if (head_[0] == 'Z' || head_[0] == 'G') ++waits;
      }
      const std::size_t taken = std::min(left_, octets.size());
      octets.remove_prefix(taken);
      left_ -= taken;
      if (left_ == 0) head_.clear();
    }
    return waits;
  }

 private:
  std::string head_;
  std::size_t left_ = 0;
};

struct Chunk {
  Clock::time_point due;
  std::string octets;
};

struct Way {
  int from = -1;
  int to = -1;
  std::deque<Chunk> waiting;
  std::optional<Messages> messages;  // of the way from the server
};

struct Pair {
  Way forth;
  Way back;
  bool ended = false;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// False at the end of the stream.
bool take_in(Way& way, Clock::time_point due, std::atomic<std::uint64_t>& round_trips) {
  static thread_local std::array<char, 256 * 1024> buffer;
  const auto got = ::recv(way.from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  const std::string_view octets(buffer.data(), static_cast<std::size_t>(got));
  if (way.messages) round_trips += way.messages->count(octets);
  way.waiting.push_back({due, std::string(octets)});
  return true;
}

// Blocks while the other side is slow: it is on this machine and always reads.
bool let_out(Way& way, Clock::time_point now) {
  while (!way.waiting.empty() && way.waiting.front().due <= now) {
    std::string_view octets = way.waiting.front().octets;
    while (!octets.empty()) {
      const auto sent = ::send(way.to, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    way.waiting.pop_front();
  }
  return true;
}

}  // namespace

Proxy::Proxy(std::uint16_t server_port, std::chrono::microseconds round_trip)
    : server_port_(server_port), half_(round_trip / 2) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  check(::listen(listener_, 16) == 0, "listen");
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  ::eventfd_write(stop_, 1);
  thread_.join();
  ::close(listener_);
  ::close(stop_);
}

void Proxy::run() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  std::list<Pair> pairs;
  std::vector<pollfd> polled;
  for (;;) {
    polled.assign({{stop_, POLLIN, 0}, {listener_, POLLIN, 0}});
    std::optional<Clock::time_point> next;
    for (Pair& pair : pairs) {
      for (Way* const way : {&pair.forth, &pair.back}) {
        polled.push_back({way->from, POLLIN, 0});
        if (!way->waiting.empty() && (!next || way->waiting.front().due < *next)) {
          next = way->waiting.front().due;
        }
      }
    }
    timespec wait{};
    if (next) {
      const auto left =
          std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(*next - Clock::now()));
      wait = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    }
    ::ppoll(polled.data(), polled.size(), next ? &wait : nullptr, nullptr);
    if (polled[0].revents != 0) break;
    const auto now = Clock::now();
    std::size_t place = 2;
    for (Pair& pair : pairs) {
      for (Way* const way : {&pair.forth, &pair.back}) {
        const bool readable = polled[place++].revents != 0;
        if (readable && !take_in(*way, now + half_, round_trips_)) pair.ended = true;
        if (!let_out(*way, now)) pair.ended = true;
      }
    }
    pairs.remove_if([](const Pair& pair) {
      if (!pair.ended) return false;
      ::close(pair.forth.from);
      ::close(pair.forth.to);
      return true;
    });
    if (polled[1].revents == 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(server_port_);
    check(::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
    no_delay(client);
    no_delay(server);
    pairs.push_back({.forth = {client, server, {}, {}}, .back = {server, client, {}, Messages()}});
  }
  for (Pair& pair : pairs) {
    ::close(pair.forth.from);
    ::close(pair.forth.to);
  }
}

}  // namespace todoku::pg_sketch
