// SPDX-License-Identifier: Apache-2.0
// A real name server on loopback for tests: tools/local_dns with zones written in the test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/endpoint.h"

namespace todoku::testing_support {

// Runs from start() to stop() or the destructor; its files are in a directory of its own below the
// system's temporary one, which goes with it.
class LocalDns {
 public:
  struct Zone {
    std::string name;     // "." may hold records of every name
    std::string records;  // zone file without SOA and NS, absolute names; TTL 60 unless given
    bool is_signed = false;
    bool broken = false;  // served as SERVFAIL
  };

  // Errors: unavailable (knot is not installed or does not start), io.
  [[nodiscard]] static Result<LocalDns> start(const std::vector<Zone>& zones);
  ~LocalDns();
  LocalDns(LocalDns&& other) noexcept;
  LocalDns& operator=(LocalDns&&) = delete;

  void stop();
  // Starts it again on the same port.
  [[nodiscard]] Result<void> restart();

  [[nodiscard]] const net::Endpoint& endpoint() const { return endpoint_; }
  // The trust anchor of a signed zone as one line.
  [[nodiscard]] Result<std::string> trust_anchor(std::string_view zone) const;

 private:
  LocalDns(std::filesystem::path directory, std::vector<std::string> arguments)
      : directory_(std::move(directory)), arguments_(std::move(arguments)) {}
  [[nodiscard]] Result<void> launch(const std::string& port);

  std::filesystem::path directory_;
  std::vector<std::string> arguments_;  // ZONE=FILE...
  net::Endpoint endpoint_;
};

}  // namespace todoku::testing_support
