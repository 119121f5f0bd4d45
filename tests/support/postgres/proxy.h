// SPDX-License-Identifier: Apache-2.0
// A network between a client and PostgreSQL: passes octets on after half a round trip each way,
// counts how often the client had to wait for the server, and fails as networks do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

namespace todoku {

class PostgresProxy {
 public:
  // What becomes of the next COMMIT that a client sends, and of its connection.
  enum class Fault : std::uint8_t {
    none,
    answer_lost,    // it is done, and the client does not hear of it
    never_arrives,  // it gets lost on the way
    arrives_late,   // it is done half a second later
    silence,        // it is done, and the client hears nothing any more, not even an end
    all_silent,     // it is done, its connection ends, and those that are made later are not heard
  };

  // Listens on loopback; connects to the server's socket.
  PostgresProxy(std::filesystem::path server, std::chrono::microseconds round_trip = {});
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;
  ~PostgresProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Of a database behind it, for libpq.
  [[nodiscard]] std::string address(const std::string& database) const;
  // ReadyForQuery, and CopyInResponse, which COPY waits for.
  [[nodiscard]] std::uint64_t round_trips() const { return round_trips_.load(); }
  void fail_next_commit(Fault fault) { fault_ = fault; }
  // Whether it has come to that.
  [[nodiscard]] bool has_failed() const { return fault_ == Fault::none; }
  // New connections are refused, those that are there end, until it is called with true.
  void set_open(bool open);
  // Ends what Fault::all_silent has begun, for connections that are made from then on.
  void hear_again() { hears_new_ = true; }

 private:
  struct Pair;
  void run();

  const std::filesystem::path server_;
  const std::chrono::microseconds half_;
  int listener_;
  int stop_;  // an eventfd
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> round_trips_{0};
  std::atomic<Fault> fault_{Fault::none};
  std::atomic<bool> open_{true};
  std::atomic<bool> hears_new_{true};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace todoku
