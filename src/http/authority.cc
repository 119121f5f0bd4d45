// SPDX-License-Identifier: Apache-2.0
#include "http/authority.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "net/endpoint.h"

namespace todoku::http {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// RFC 3986 section 3.2.2: a registered name, of unreserved characters, escapes and sub-delimiters.
// An escape that is broken says no more than one that is not looked at.
bool is_name(std::string_view host) {
  constexpr std::string_view kOthers = "-._~%!$&'()*+,;=";
  return !host.empty() && std::ranges::all_of(host, [&](char c) {
    return is_alphanumeric(c) || kOthers.contains(c);
  });
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, port);
  return text.empty() || (error == std::errc() && read == end);
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return std::nullopt;
  Authority found{.host = bracketed ? text.substr(1, end - 1) : text.substr(0, end), .port = {}};
  const bool good = bracketed ? net::IpAddress::parse(found.host).has_value() : is_name(found.host);
  if (!good) return std::nullopt;
  std::string_view rest =
      end == std::string_view::npos ? std::string_view() : text.substr(end + (bracketed ? 1 : 0));
  if (rest.empty()) return found;
  if (!rest.starts_with(':') || !is_port(rest.substr(1))) return std::nullopt;
  found.port = rest.substr(1);
  return found;
}

}  // namespace todoku::http
