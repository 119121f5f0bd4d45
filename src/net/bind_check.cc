// SPDX-License-Identifier: Apache-2.0
#include "net/bind_check.h"

#include <cerrno>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_error.h"
#include "net/socket_address.h"

namespace todoku::net {

Result<void> check_bindable(const Endpoint& at) {
  const std::string doing = fmt::format("cannot use {}", at.to_string());
  const auto address = to_socket_address(at);
  const int fd = ::socket(address.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(errno_to_error(doing, errno));
  // As a listener does it: what is left of closed connections is in nobody's way, and an IPv6
  // address is nothing but that.
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.address.is_v6()) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const int bound = ::bind(fd, static_cast<const sockaddr*>(address.data()),
                           static_cast<socklen_t>(address.size()));
  const int error = errno;
  ::close(fd);
  if (bound == 0) return {};
  if (error == EADDRNOTAVAIL) {
    return fail(ErrorKind::not_found,
                fmt::format("{} is no address of this machine", at.address.to_string()));
  }
  if (error == EADDRINUSE) {
    return fail(ErrorKind::conflict, fmt::format("somebody listens at {} already", at.to_string()));
  }
  return fail(errno_to_error(doing, error));
}

}  // namespace todoku::net
