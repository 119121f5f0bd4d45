// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.h"

#include <optional>

#include "base/bytes.h"
#include "net/endpoint.h"

namespace todoku::http {
namespace {

// An address, which some proxies give a port.
std::optional<net::IpAddress> address_in(std::string_view text) {
  if (auto address = net::IpAddress::parse(text)) return *address;
  if (auto endpoint = net::Endpoint::parse(text, 0)) return endpoint->address;
  return std::nullopt;
}

}  // namespace

net::IpAddress client_address(const Request& request, std::span<const net::Network> trusted) {
  net::IpAddress client = request.remote.address;
  if (!net::contain(trusted, client)) return client;
  // Several fields are one list (RFC 9110 section 5.3): from the last to the first.
  for (std::size_t i = request.headers.size(); i-- > 0;) {
    const Headers::Field field = request.headers[i];
    if (!equals_ignoring_case(field.name, "X-Forwarded-For")) continue;
    std::string_view rest = field.value;
    while (true) {
      const std::size_t comma = rest.rfind(',');
      const bool first = comma == std::string_view::npos;
      const auto address = address_in(trim(first ? rest : rest.substr(comma + 1)));
      if (!address) return client;
      client = *address;
      if (!net::contain(trusted, client)) return client;
      if (first) break;
      rest = rest.substr(0, comma);
    }
  }
  return client;
}

}  // namespace todoku::http
