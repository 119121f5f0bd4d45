// SPDX-License-Identifier: Apache-2.0
#include "net/socket_address.h"

#include <array>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace todoku::net {
namespace {

Endpoint endpoint_of(int socket, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (ask(socket, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return {};
  if (raw.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &raw, sizeof in);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &in.sin_addr, octets.size());
    return {IpAddress::v4(octets), ntohs(in.sin_port)};
  }
  if (raw.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &raw, sizeof in);
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &in.sin6_addr, octets.size());
    return {IpAddress::v6(octets), ntohs(in.sin6_port)};
  }
  return {};
}

}  // namespace

StreamProtocol::endpoint to_socket_address(const Endpoint& endpoint) {
  const auto octets = endpoint.address.octets();
  if (endpoint.address.is_v6()) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port);
    std::memcpy(&in.sin6_addr, octets.data(), octets.size());
    return {&in, sizeof in, IPPROTO_TCP};
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(endpoint.port);
  std::memcpy(&in.sin_addr, octets.data(), octets.size());
  return {&in, sizeof in, IPPROTO_TCP};
}

Result<StreamProtocol::endpoint> to_socket_address(const std::string& path) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof un.sun_path) {
    return fail(ErrorKind::invalid_input,
                fmt::format("'{}' is no path for a Unix socket: 1 to {} octets", path,
                            sizeof un.sun_path - 1));
  }
  path.copy(static_cast<char*>(un.sun_path), path.size());
  return StreamProtocol::endpoint(&un, offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

Endpoint local_endpoint_of(int socket) {
  return endpoint_of(socket, &::getsockname);
}

Endpoint remote_endpoint_of(int socket) {
  return endpoint_of(socket, &::getpeername);
}

}  // namespace todoku::net
