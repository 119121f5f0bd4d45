// SPDX-License-Identifier: Apache-2.0
#include "net/net_error.h"

#include <cerrno>

#include <fmt/format.h>

namespace todoku::net {
namespace {

ErrorKind kind_of(int number) {
  switch (number) {
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
    case ESHUTDOWN:
    case EBADF:
      return ErrorKind::closed;
    case ETIMEDOUT:
      return ErrorKind::timeout;
    case ECANCELED:
      return ErrorKind::cancelled;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN:
      return ErrorKind::unavailable;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EINVAL:
      return ErrorKind::invalid_input;
    case EADDRINUSE:
      return ErrorKind::conflict;
    case EACCES:
    case EPERM:
      return ErrorKind::unauthorized;
    case ENOENT:
      return ErrorKind::not_found;
    default:
      return ErrorKind::io;
  }
}

}  // namespace

Error to_error(std::string_view doing, const boost::system::error_code& code) {
  // Asio's own categories (resolver, end of file) never reach this: the numbers are errno's.
  return Error{kind_of(code.value()), fmt::format("{}: {}", doing, code.message())};
}

Error errno_to_error(std::string_view doing, int number) {
  return to_error(doing, {number, boost::system::system_category()});
}

}  // namespace todoku::net
