// SPDX-License-Identifier: Apache-2.0
#include "net/endpoint.h"

#include <charconv>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/printable.h"
#include "base/utf8.h"

namespace todoku::net {
namespace {

struct Prefix {
  std::array<std::uint8_t, 16> octets;
  unsigned bits;
  AddressScope scope;
};

bool matches(std::span<const std::uint8_t> octets, const Prefix& prefix) {
  const std::size_t whole = prefix.bits / 8;
  if (std::memcmp(octets.data(), prefix.octets.data(), whole) != 0) return false;
  const unsigned rest = prefix.bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFFU << (8 - rest));
  return (octets[whole] & mask) == (prefix.octets[whole] & mask);
}

// IANA IPv4 Special-Purpose Address Registry, blocks that are not globally reachable.
constexpr Prefix kSpecialV4[] = {
    {{0}, 8, AddressScope::reserved},
    {{10}, 8, AddressScope::private_use},
    {{100, 64}, 10, AddressScope::private_use},
    {{127}, 8, AddressScope::loopback},
    {{169, 254}, 16, AddressScope::link_local},
    {{172, 16}, 12, AddressScope::private_use},
    {{192, 0, 0}, 24, AddressScope::reserved},
    {{192, 0, 2}, 24, AddressScope::reserved},
    {{192, 88, 99}, 24, AddressScope::reserved},
    {{192, 168}, 16, AddressScope::private_use},
    {{198, 18}, 15, AddressScope::reserved},
    {{198, 51, 100}, 24, AddressScope::reserved},
    {{203, 0, 113}, 24, AddressScope::reserved},
    {{224}, 4, AddressScope::multicast},
    {{240}, 4, AddressScope::reserved},
};

// IANA IPv6 Special-Purpose Address Registry; the first match counts.
constexpr Prefix kSpecialV6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, AddressScope::loopback},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, AddressScope::private_use},
    {{0x20, 0x01}, 23, AddressScope::reserved},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, AddressScope::reserved},
    {{0x20, 0x02}, 16, AddressScope::reserved},
    {{0x3f, 0xff}, 20, AddressScope::reserved},
    {{0xfc}, 7, AddressScope::private_use},
    {{0xfe, 0x80}, 10, AddressScope::link_local},
    {{0xff}, 8, AddressScope::multicast},
    // RFC 4291 section 2.4: only 2000::/3 is handed out as global unicast.
    {{0x20}, 3, AddressScope::global},
};

AddressScope scope_v4(std::span<const std::uint8_t> octets) {
  for (const Prefix& prefix : kSpecialV4) {
    if (matches(octets, prefix)) return prefix.scope;
  }
  return AddressScope::global;
}

// The IPv4 address in an IPv4-mapped (RFC 4291 section 2.5.5.2) or NAT64 (RFC 6052) address.
std::optional<std::span<const std::uint8_t>> embedded_v4(std::span<const std::uint8_t> octets) {
  constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<std::uint8_t, 12> nat64 = {0, 0x64, 0xff, 0x9b};
  if (std::memcmp(octets.data(), mapped.data(), 12) == 0 ||
      std::memcmp(octets.data(), nat64.data(), 12) == 0) {
    return octets.subspan(12);
  }
  return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end) return std::nullopt;
  return port;
}

// Splits "[v6]:port", "[v6]", "v4:port", "v4", "v6".
struct Parts {
  std::string_view host;
  std::optional<std::string_view> port;
};
std::optional<Parts> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return Parts{host, std::nullopt};
    if (!rest.starts_with(':')) return std::nullopt;
    return Parts{host, rest.substr(1)};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.rfind(':') != colon) {
    return Parts{text, std::nullopt};  // IPv4, or IPv6 without brackets
  }
  return Parts{text.substr(0, colon), text.substr(colon + 1)};
}

Result<Endpoint> parse_endpoint(std::string_view text, std::optional<std::uint16_t> default_port) {
  const std::optional<Parts> parts = split(text);
  if (!parts) return fail(ErrorKind::invalid_input, fmt::format("'{}' is no address:port", text));
  const Result<IpAddress> address = IpAddress::parse(parts->host);
  if (!address) return fail(address.error());
  const auto port = parts->port ? parse_port(*parts->port) : default_port;
  if (!port) return fail(ErrorKind::invalid_input, fmt::format("'{}' has no valid port", text));
  return Endpoint{*address, *port};
}

}  // namespace

std::string_view to_string(AddressScope scope) {
  switch (scope) {
    case AddressScope::global:
      return "global";
    case AddressScope::loopback:
      return "loopback";
    case AddressScope::private_use:
      return "private_use";
    case AddressScope::link_local:
      return "link_local";
    case AddressScope::multicast:
      return "multicast";
    case AddressScope::reserved:
      return "reserved";
  }
  return "invalid";
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  // An embedded NUL would hide the rest of the text from inet_pton.
  if (text.size() < terminated.size() && text.find('\0') == std::string_view::npos) {
    text.copy(terminated.data(), text.size());
    IpAddress address;
    if (inet_pton(AF_INET, terminated.data(), address.octets_.data()) == 1) return address;
    if (inet_pton(AF_INET6, terminated.data(), address.octets_.data()) == 1) {
      address.is_v6_ = true;
      return address;
    }
  }
  constexpr std::size_t kShown = 64;
  return fail(ErrorKind::invalid_input,
              fmt::format("'{}' is no IP address", printable(utf8_prefix(text, kShown))));
}

AddressScope IpAddress::scope() const {
  if (is_v4()) return scope_v4(octets());
  if (const auto inner = embedded_v4(octets_)) return scope_v4(*inner);
  for (const Prefix& prefix : kSpecialV6) {
    if (matches(octets_, prefix)) return prefix.scope;
  }
  return AddressScope::reserved;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v6_ ? AF_INET6 : AF_INET, octets_.data(), text.data(), text.size());
  return text.data();
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  return parse_endpoint(text, std::nullopt);
}

Result<Endpoint> Endpoint::parse(std::string_view text, std::uint16_t default_port) {
  return parse_endpoint(text, default_port);
}

std::string Endpoint::to_string() const {
  return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), port)
                         : fmt::format("{}:{}", address.to_string(), port);
}

bool names_loopback(std::string_view authority) {
  std::string_view host = authority;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    host = host.substr(1, end - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  const auto address = IpAddress::parse(host);
  return host == "localhost" || (address && address->is_loopback());
}

}  // namespace todoku::net
