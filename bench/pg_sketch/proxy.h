// SPDX-License-Identifier: Apache-2.0
// A network in between: passes bytes on after half a round trip each way, and counts how often the
// client had to wait for the server (ReadyForQuery, and CopyInResponse, which COPY waits for).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace todoku::pg_sketch {

class Proxy {
 public:
  // Listens on loopback; connects to `server_port` there.
  Proxy(std::uint16_t server_port, std::chrono::microseconds round_trip);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint64_t round_trips() const { return round_trips_.load(); }

 private:
  void run();

  std::uint16_t server_port_;
  std::chrono::microseconds half_;
  int listener_;
  int stop_;  // an eventfd
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> round_trips_{0};
  std::thread thread_;
};

}  // namespace todoku::pg_sketch
