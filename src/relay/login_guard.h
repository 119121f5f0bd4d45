// SPDX-License-Identifier: Apache-2.0
// How often somebody may be wrong about a password. Counted is a user name from one network (an
// IPv4 address, the /64 of an IPv6 one), so that nobody is locked out everywhere by others who
// guess; and a network alone, which guesses names. Pure but for its lock; times are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "net/network.h"

namespace todoku::relay {

// Thread-safe.
class LoginGuard {
 public:
  struct Options {
    std::uint32_t failures_of_name = 10;      // of one name from one network
    std::uint32_t failures_of_network = 100;  // whatever the names
    Milliseconds window = std::chrono::minutes(15);
    std::size_t entries_max = 100'000;  // beyond it the oldest is forgotten
  };
  LoginGuard() : LoginGuard(Options()) {}
  explicit LoginGuard(Options options) : options_(options) {}

  // How long it is until this name may be tried from there again; zero: now.
  [[nodiscard]] Milliseconds locked_for(const net::IpAddress& from, std::string_view name,
                                        SteadyInstant now) const;
  void failed(const net::IpAddress& from, std::string_view name, SteadyInstant now);
  // Forgets its failures from there; the network's stay.
  void succeeded(const net::IpAddress& from, std::string_view name);
  [[nodiscard]] std::size_t entries() const;

 private:
  struct Tally {
    std::uint32_t failures = 0;
    SteadyInstant since{};
  };
  // The empty name stands for the network alone.
  using Key = std::pair<net::IpAddress, std::string>;
  [[nodiscard]] Milliseconds left(const Key& key, std::uint32_t most, SteadyInstant now) const;
  void count(Key key, SteadyInstant now);

  const Options options_;
  mutable std::mutex mutex_;
  std::map<Key, Tally> tallies_;
  std::multimap<SteadyInstant, Key> by_age_;
};

}  // namespace todoku::relay
