// SPDX-License-Identifier: Apache-2.0
// Between our addresses and the operating system's. Private to net/.
#pragma once

#include <string>

#include "net/endpoint.h"
#include "net/stream_impl.h"

namespace todoku::net {

[[nodiscard]] StreamProtocol::endpoint to_socket_address(const Endpoint& endpoint);
// Errors: invalid_input if `path` is longer than the operating system's limit of 107 octets.
[[nodiscard]] Result<StreamProtocol::endpoint> to_socket_address(const std::string& path);

// The two ends of a socket; 0.0.0.0:0 for a Unix socket.
[[nodiscard]] Endpoint local_endpoint_of(int socket);
[[nodiscard]] Endpoint remote_endpoint_of(int socket);

}  // namespace todoku::net
