// SPDX-License-Identifier: Apache-2.0
#include "http/origin.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::http {
namespace {

struct Authority {
  std::string_view host;  // without brackets
  bool valid = false;
};

// RFC 3986 section 3.2, without user information: a client that is asked for a link sends none.
Authority split(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return {};
  const std::string_view host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? "" : text.substr(end + bracketed);
  if (!rest.empty()) {
    if (!rest.starts_with(':')) return {};
    rest.remove_prefix(1);
  }
  const bool is_port =
      rest.size() <= 5 && std::ranges::all_of(rest, [](char c) { return c >= '0' && c <= '9'; });
  return {.host = host, .valid = !host.empty() && is_port};
}

bool is_here(std::string_view host, const net::IpAddress& local) {
  if (equals_ignoring_case(host, "localhost")) return true;
  const auto address = net::IpAddress::parse(host);
  return address && (address->is_loopback() || *address == local);
}

}  // namespace

std::string origin_of(const Request& request) {
  const std::string_view scheme = request.is_secure ? "https" : "http";
  const std::string_view given = request.headers.get("Host");
  const Authority authority = split(given);
  if (authority.valid && is_here(authority.host, request.local.address)) {
    return fmt::format("{}://{}", scheme, given);
  }
  return fmt::format("{}://{}", scheme, request.local.to_string());
}

}  // namespace todoku::http
