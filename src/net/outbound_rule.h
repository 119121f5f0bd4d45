// SPDX-License-Identifier: Apache-2.0
// Where a request may go whose destination an outsider has named, a tenant in a URL or the DNS in
// an answer: to the Internet, at the ports of the web, and to what the operator lists. A pure
// decision over an address, because a name may mean another address at every look.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/endpoint.h"
#include "net/network.h"

namespace todoku::net {

class OutboundRule {
 public:
  // What the operator lets outsiders reach beyond the public web.
  struct Permit {
    std::optional<Network> network;  // nullopt: whatever is on the Internet, and only that
    std::uint16_t port = 0;          // 0: every port

    // "127.0.0.1:8080", "10.1.0.0/16:443", "[fd00:1::/64]:443", "192.0.2.7:*", "*:8443".
    // Errors: invalid_input.
    [[nodiscard]] static Result<Permit> parse(std::string_view text);
    friend auto operator<=>(const Permit&, const Permit&) = default;
  };

  OutboundRule() = default;
  // Whether what is on the Internet may be reached besides what is permitted.
  enum class Internet : std::uint8_t { open, closed };
  // `own`: addresses of this installation, which count as its inside also where they are public.
  explicit OutboundRule(std::vector<Permit> permits, std::set<IpAddress> own = {},
                        Internet internet = Internet::open);

  // Errors: unauthorized. The sentence names no address: a name may lead into a network whose plan
  // is none of the asker's business.
  [[nodiscard]] Result<void> judge(const Endpoint& to) const;
  // Whether anything at all may be reached at this port: what can be said of a URL whose host is a
  // name.
  [[nodiscard]] bool knows_port(std::uint16_t port) const;

 private:
  std::vector<Permit> permits_;
  std::set<IpAddress> own_;
  Internet internet_ = Internet::open;
};

}  // namespace todoku::net
