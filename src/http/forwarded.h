// SPDX-License-Identifier: Apache-2.0
// Who a request came from when it passed through proxies of ours.
#pragma once

#include <span>

#include "http/message.h"
#include "net/network.h"

namespace todoku::http {

// The peer of the connection; where that is in `trusted`, the last address of X-Forwarded-For that
// is not, as each proxy adds the one it heard from at the end. What is no address ends the search:
// then the last address that was one counts, because anybody may have written what stands before.
[[nodiscard]] net::IpAddress client_address(const Request& request,
                                            std::span<const net::Network> trusted);

}  // namespace todoku::http
