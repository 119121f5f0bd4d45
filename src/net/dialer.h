// SPDX-License-Identifier: Apache-2.0
// Opening connections.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "net/egress_proxy.h"
#include "net/endpoint.h"
#include "net/stream.h"

namespace todoku::net {

struct DialOptions {
  std::optional<IpAddress> local_address;  // the address to send from; must be this machine's
  // Who connects on our behalf; nullptr: nobody. The local address is then ours towards the proxy,
  // and counts if it is of the proxy's family.
  std::shared_ptr<const EgressProxy> proxy = nullptr;
};

// Connects on the calling task's executor. Errors that speak of the peer or the way to it: timeout;
// closed (refused or reset by the peer); unauthorized; io (no route, and all else). Errors that
// speak of ourselves, so that the peer was asked nothing: unavailable (no local port, file or
// memory left); invalid_input (the local address is not this machine's or of another family, or the
// machine has not the peer's family). And cancelled.
[[nodiscard]] Task<Result<Stream>> dial(Endpoint remote, DialOptions options,
                                        SteadyInstant deadline);

// Who opens connections for others: the system, by dial(), or a simulated network.
class Dialer {
 public:
  virtual ~Dialer() = default;
  // As the function of this name.
  [[nodiscard]] virtual Task<Result<Stream>> dial(Endpoint remote, DialOptions options,
                                                  SteadyInstant deadline) = 0;
};
[[nodiscard]] Dialer& system_dialer();

// Connects to a Unix socket. Errors: as above, not_found (nothing at `path`).
[[nodiscard]] Task<Result<Stream>> dial_unix(std::string path, SteadyInstant deadline);

}  // namespace todoku::net
