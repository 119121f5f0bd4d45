// SPDX-License-Identifier: Apache-2.0
// How many connections each client has open. A client is an IPv4 address or the /64 of an IPv6 one,
// of which a single machine has as many as it likes.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/network.h"

namespace todoku::net {

[[nodiscard]] inline IpAddress client_of(const IpAddress& address) {
  return Network(address, 64).prefix();
}

// Thread-safe. Holds no more clients than there are connections.
class ClientCounts {
 public:
  // `max` 0: no limit. `trusted`: networks of proxies, which speak for many clients.
  ClientCounts(std::size_t max, std::vector<Network> trusted)
      : max_(max), trusted_(std::move(trusted)) {}

  // False if the client has as many connections as it may have. Else leave() when this one ends.
  [[nodiscard]] bool enter(const IpAddress& address) {
    if (!counts(address)) return true;
    const std::lock_guard lock(mutex_);
    std::size_t& open = open_[client_of(address)];
    if (open >= max_) return false;
    ++open;
    return true;
  }
  void leave(const IpAddress& address) {
    if (!counts(address)) return;
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(client_of(address));
    if (--found->second == 0) open_.erase(found);
  }

 private:
  // Unix sockets have no address; whoever may use one is trusted.
  [[nodiscard]] bool counts(const IpAddress& address) const {
    return max_ > 0 && !address.is_unspecified() && !contain(trusted_, address);
  }
  const std::size_t max_;
  const std::vector<Network> trusted_;
  std::mutex mutex_;
  std::unordered_map<IpAddress, std::size_t> open_;
};

}  // namespace todoku::net
