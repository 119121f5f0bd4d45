// SPDX-License-Identifier: Apache-2.0
// The network between the engine and the receivers: addresses, connecting, and the moment at which
// one run of the engine is cut off from it.
#pragma once

#include <map>
#include <string>

#include "net/dialer.h"
#include "sim/clock.h"
#include "sim/receiver.h"

namespace todoku::sim {

class Network {
 public:
  explicit Network(const SimClock& clock) : clock_(clock) {}

  // Hosts at which nobody is answer nothing. The receiver must outlive the network.
  void add_host(net::IpAddress address, Receiver& receiver) { hosts_[address] = &receiver; }
  [[nodiscard]] const SimClock& clock() const { return clock_; }
  [[nodiscard]] Receiver* find(const net::IpAddress& address) const {
    const auto found = hosts_.find(address);
    return found == hosts_.end() ? nullptr : found->second;
  }

 private:
  const SimClock& clock_;
  std::map<net::IpAddress, Receiver*> hosts_;
};

// One run's way into the network.
class Line final : public net::Dialer {
 public:
  Line(Network& network, unsigned run) : network_(network), run_(run) {}

  [[nodiscard]] Task<Result<net::Stream>> dial(net::Endpoint remote, net::DialOptions options,
                                               SteadyInstant deadline) override;
  // Nobody is reached from now on. Connections that stand are cut by Receiver::cut().
  void cut() { cut_ = true; }

 private:
  Network& network_;
  const unsigned run_;
  bool cut_ = false;
};

}  // namespace todoku::sim
