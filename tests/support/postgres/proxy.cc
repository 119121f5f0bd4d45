// SPDX-License-Identifier: Apache-2.0
#include "support/postgres/proxy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <list>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace todoku {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Fault = PostgresProxy::Fault;

constexpr std::chrono::milliseconds kLate{500};

// Follows the server's messages: one octet of type, four of length (which counts itself).
class Messages {
 public:
  // How many of those that end a wait are in `octets`.
  std::uint64_t count(std::string_view octets) {
    constexpr std::size_t kHead = 5;
    std::uint64_t waits = 0;
    while (!octets.empty()) {
      if (head_.size() < kHead) {
        const std::size_t taken = std::min(kHead - head_.size(), octets.size());
        head_ += octets.substr(0, taken);
        octets.remove_prefix(taken);
        if (head_.size() < kHead) break;
        left_ = 0;
        for (std::size_t i = 1; i < kHead; ++i) {
          left_ = left_ << 8U | static_cast<unsigned char>(head_[i]);
        }
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
  SteadyClock::time_point due;
  std::string octets;
};

struct Way {
  int from = -1;
  int to = -1;
  std::deque<Chunk> waiting;
};

void no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Blocks while the other side is slow: it is on this machine and always reads.
bool let_out(Way& way, SteadyClock::time_point now) {
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

int connect_to(const std::filesystem::path& server) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, server.c_str(), sizeof address.sun_path - 1);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket);
    return -1;
  }
  return socket;
}

}  // namespace

struct PostgresProxy::Pair {
  Way forth;
  Way back;
  Messages messages;         // of the way back
  bool client_gone = false;  // cut; what the server says is read and forgotten
  bool hears_nothing = false;
  bool is_silent = false;
  bool ended = false;

  void cut_client() {
    client_gone = true;
    ::shutdown(forth.from, SHUT_RDWR);
  }
  // False at the end of the stream.
  bool take(Way& way, SteadyClock::time_point due, std::atomic<Fault>& fault,
            std::atomic<std::uint64_t>& round_trips, std::atomic<bool>& hears_new) {
    static thread_local std::array<char, 256 * 1024> buffer;
    const auto got = ::recv(way.from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    const std::string_view octets(buffer.data(), static_cast<std::size_t>(got));
    const bool is_forth = &way == &forth;
    if (!is_forth) round_trips += messages.count(octets);
    if (!is_forth && (client_gone || hears_nothing || is_silent)) {
      // What the client was to hear ends with its connection.
      if (hears_nothing) cut_client();
      return true;
    }
    if (is_forth && fault != Fault::none && octets.contains("COMMIT")) {
      const Fault wanted = fault.exchange(Fault::none);
      if (wanted == Fault::never_arrives) return false;
      if (wanted == Fault::answer_lost || wanted == Fault::all_silent) hears_nothing = true;
      if (wanted == Fault::all_silent) hears_new = false;
      if (wanted == Fault::silence) is_silent = true;
      if (wanted == Fault::arrives_late) {
        way.waiting.push_back({due + kLate, std::string(octets)});
        cut_client();
        return true;
      }
    }
    way.waiting.push_back({due, std::string(octets)});
    return true;
  }
};

PostgresProxy::PostgresProxy(std::filesystem::path server, std::chrono::microseconds round_trip)
    : server_(std::move(server)), half_(round_trip / 2) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { run(); });
}

PostgresProxy::~PostgresProxy() {
  stopping_ = true;
  ::eventfd_write(stop_, 1);
  thread_.join();
  ::close(listener_);
  ::close(stop_);
}

std::string PostgresProxy::address(const std::string& database) const {
  return fmt::format(
      "host=127.0.0.1 port={} user=todoku dbname={} sslmode=disable "
      "gssencmode=disable",
      port_, database);
}

void PostgresProxy::set_open(bool open) {
  open_ = open;
  ::eventfd_write(stop_, 1);
}

void PostgresProxy::run() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  std::list<Pair> pairs;
  std::vector<pollfd> polled;
  while (true) {
    polled.assign({{stop_, POLLIN, 0}, {listener_, POLLIN, 0}});
    std::optional<SteadyClock::time_point> next;
    for (Pair& pair : pairs) {
      for (Way* const way : {&pair.forth, &pair.back}) {
        const bool reads = !(way == &pair.forth && pair.client_gone);
        polled.push_back({reads ? way->from : -1, POLLIN, 0});
        if (!way->waiting.empty() && (!next || way->waiting.front().due < *next)) {
          next = way->waiting.front().due;
        }
      }
    }
    timespec wait{};
    if (next) {
      const auto left = std::max(std::chrono::nanoseconds(0),
                                 std::chrono::nanoseconds(*next - SteadyClock::now()));
      wait = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    }
    ::ppoll(polled.data(), polled.size(), next ? &wait : nullptr, nullptr);
    if (polled[0].revents != 0) {
      eventfd_t ignored = 0;
      ::eventfd_read(stop_, &ignored);
    }
    if (stopping_) break;
    const auto now = SteadyClock::now();
    std::size_t place = 2;
    for (Pair& pair : pairs) {
      for (Way* const way : {&pair.forth, &pair.back}) {
        const bool readable = polled[place++].revents != 0;
        if (readable && !pair.take(*way, now + half_, fault_, round_trips_, hears_new_))
          pair.ended = true;
        if (way == &pair.back && pair.client_gone) way->waiting.clear();
        if (!let_out(*way, now)) pair.ended = true;
      }
      if (!open_) pair.ended = true;
    }
    pairs.remove_if([](const Pair& pair) {
      if (!pair.ended) return false;
      ::close(pair.forth.from);
      ::close(pair.forth.to);
      return true;
    });
    if (polled[1].revents == 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = open_ ? connect_to(server_) : -1;
    if (client < 0 || server < 0) {
      if (client >= 0) ::close(client);
      continue;
    }
    no_delay(client);
    pairs.push_back({.forth = {client, server, {}}, .back = {server, client, {}}});
    pairs.back().is_silent = !hears_new_;
  }
  for (Pair& pair : pairs) {
    ::close(pair.forth.from);
    ::close(pair.forth.to);
  }
}

}  // namespace todoku
