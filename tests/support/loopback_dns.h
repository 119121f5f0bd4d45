// SPDX-License-Identifier: Apache-2.0
// For tests: a name server on loopback that knows every domain.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace todoku {

// Every domain is its own mail exchanger at 127.0.0.1; nothing else is known of it. Answers over
// UDP, on a thread of its own.
class LoopbackDns {
 public:
  LoopbackDns() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address_), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address_), &size) != 0) {
      throw std::runtime_error("no socket for names");
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~LoopbackDns() {
    stopping_ = true;
    // Any datagram wakes the thread.
    ::sendto(socket_, "", 0, 0, reinterpret_cast<sockaddr*>(&address_), sizeof(address_));
    thread_.join();
    ::close(socket_);
  }
  LoopbackDns(const LoopbackDns&) = delete;
  LoopbackDns& operator=(const LoopbackDns&) = delete;

  // "127.0.0.1:5353", as dns.servers has it.
  [[nodiscard]] std::string endpoint() const {
    return fmt::format("127.0.0.1:{}", ::ntohs(address_.sin_port));
  }
  [[nodiscard]] std::uint64_t questions() const { return questions_; }

 private:
  void serve() {
    char buffer[1500];
    while (!stopping_) {
      sockaddr_in peer{};
      socklen_t size = sizeof(peer);
      const ssize_t count =
          ::recvfrom(socket_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&peer), &size);
      if (count <= 0) continue;
      const std::string reply = answer({buffer, static_cast<std::size_t>(count)});
      if (reply.empty()) continue;
      ++questions_;
      ::sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
    }
  }

  // RFC 1035, section 4; empty: that is no question.
  static std::string answer(std::string_view query) {
    using namespace std::string_view_literals;
    constexpr std::size_t kHeader = 12;
    std::size_t end = kHeader;  // of the question: a name, its type, its class
    while (end < query.size() && query[end] != 0) end += 1U + static_cast<std::uint8_t>(query[end]);
    end += 1 + 4;
    if (end > query.size()) return {};
    const std::string_view type = query.substr(end - 4, 2);
    constexpr std::string_view kTheName = "\xC0\x0C"sv;  // a pointer to that of the question
    std::string data;
    if (type == "\x00\x01"sv) data = "\x7F\x00\x00\x01"sv;                        // A
    if (type == "\x00\x0F"sv) data = std::string("\x00\x0A"sv).append(kTheName);  // MX
    std::string reply(query.substr(0, 2));
    reply += "\x81\x80\x00\x01\x00"sv;  // a response without error to one question
    reply += data.empty() ? '\x00' : '\x01';
    reply += "\x00\x00\x00\x00"sv;
    reply += query.substr(kHeader, end - kHeader);
    if (data.empty()) return reply;
    reply.append(kTheName).append(type).append("\x00\x01\x00\x00\x00\x3C\x00\x04"sv);
    return reply + data;
  }

  const int socket_;
  sockaddr_in address_{};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> questions_{0};
  std::thread thread_;
};

}  // namespace todoku
