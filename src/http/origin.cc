// SPDX-License-Identifier: Apache-2.0
#include "http/origin.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "http/authority.h"

namespace todoku::http {
namespace {

bool is_here(std::string_view host, const net::IpAddress& local) {
  if (equals_ignoring_case(host, "localhost")) return true;
  const auto address = net::IpAddress::parse(host);
  return address && (address->is_loopback() || *address == local);
}

}  // namespace

std::string origin_of(const Request& request) {
  const std::string_view scheme = request.is_secure ? "https" : "http";
  const std::string_view given = request.headers.get("Host");
  const auto authority = parse_authority(given);
  if (authority && is_here(authority->host, request.local.address)) {
    return fmt::format("{}://{}", scheme, given);
  }
  return fmt::format("{}://{}", scheme, request.local.to_string());
}

}  // namespace todoku::http
