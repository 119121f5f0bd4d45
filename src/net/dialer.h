// SPDX-License-Identifier: Apache-2.0
// Opening connections.
#pragma once

#include <optional>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "net/endpoint.h"
#include "net/stream.h"

namespace todoku::net {

struct DialOptions {
  std::optional<IpAddress> local_address;  // the address to send from; must be this machine's
};

// Connects on the calling task's executor. Errors: timeout; cancelled; closed (refused or reset by
// the peer); unavailable (no route, no local port left, too many open files); invalid_input (the
// local address is not this machine's or of another family); io.
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
