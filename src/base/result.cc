// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace todoku {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
      return "invalid_input";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::limit_exceeded:
      return "limit_exceeded";
    case ErrorKind::unauthorized:
      return "unauthorized";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::closed:
      return "closed";
    case ErrorKind::io:
      return "io";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::cancelled:
      return "cancelled";
  }
  return "unknown";
}

void check_failed(std::string_view message, std::source_location where) {
  std::fprintf(stderr, "check failed: %.*s (%s:%u, %s)\n", static_cast<int>(message.size()),
               message.data(), where.file_name(), where.line(), where.function_name());
  std::abort();
}

}  // namespace todoku
