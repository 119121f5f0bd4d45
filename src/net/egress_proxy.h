// SPDX-License-Identifier: Apache-2.0
// A proxy that connects to others on our behalf, so that they see its address and not ours: by
// SOCKS5 (socks5.h), or HAProxy, which is told by the PROXY protocol from which of its addresses to
// connect and where to (proxy_protocol.h; `source 0.0.0.0 usesrc clientip` and `use_backend` of the
// header's destination on its side). Told addresses, never names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "async/task.h"
#include "base/clock.h"
#include "mail/client_login.h"
#include "net/endpoint.h"
#include "net/stream.h"

namespace todoku::net {

struct EgressProxy {
  enum class Kind : std::uint8_t { socks5, haproxy };
  Kind kind = Kind::socks5;
  Endpoint at;
  // By SOCKS5: as whom we log in, asked for each connection; does not block. Empty: as nobody.
  std::function<Task<Result<std::shared_ptr<const ClientLogin>>>()> login{};
  // By the PROXY protocol: the addresses to connect from; a family without one is not reached.
  std::optional<IpAddress> from_v4{};
  std::optional<IpAddress> from_v6{};
};

// Has the proxy at the other end of `stream` connect to `remote`; the stream is its from then on.
// Errors: as dial()'s. What is the matter with the proxy is `unavailable`, and so speaks of
// ourselves.
[[nodiscard]] Task<Result<Stream>> pass_through(Stream stream,
                                                std::shared_ptr<const EgressProxy> proxy,
                                                Endpoint remote, SteadyInstant deadline);

}  // namespace todoku::net
