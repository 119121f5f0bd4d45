// SPDX-License-Identifier: Apache-2.0
// IP addresses and ports as values: parsing, formatting, and what kind of network an address
// belongs to. No name resolution here.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::net {

// What the IANA special-purpose registries (RFC 6890 and its successors) say of an address.
enum class AddressScope : std::uint8_t {
  global,       // reachable over the Internet
  loopback,     // 127.0.0.0/8, ::1
  private_use,  // RFC 1918, RFC 4193, RFC 6598 (shared), RFC 8215 (local NAT64)
  link_local,   // 169.254.0.0/16, fe80::/10
  multicast,
  reserved,  // unspecified, documentation, benchmarking, discard, 6to4, not allocated
};

[[nodiscard]] std::string_view to_string(AddressScope scope);

class IpAddress {
 public:
  // 0.0.0.0
  constexpr IpAddress() = default;

  [[nodiscard]] static constexpr IpAddress v4(std::array<std::uint8_t, 4> octets) {
    IpAddress address;
    for (std::size_t i = 0; i < octets.size(); ++i) address.octets_[i] = octets[i];
    return address;
  }
  [[nodiscard]] static constexpr IpAddress v6(std::array<std::uint8_t, 16> octets) {
    IpAddress address;
    address.octets_ = octets;
    address.is_v6_ = true;
    return address;
  }
  // Dotted quad or RFC 4291 text, without brackets, port or zone. Errors: invalid_input.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] constexpr bool is_v4() const { return !is_v6_; }
  [[nodiscard]] constexpr bool is_v6() const { return is_v6_; }
  // 4 or 16 octets in network order, valid as long as this object.
  [[nodiscard]] constexpr std::span<const std::uint8_t> octets() const {
    return std::span(octets_).first(is_v6_ ? 16 : 4);
  }

  // An IPv4 address inside an IPv6 one (mapped, or NAT64's 64:ff9b::/96) is judged as itself.
  [[nodiscard]] AddressScope scope() const;
  [[nodiscard]] bool is_global() const { return scope() == AddressScope::global; }
  [[nodiscard]] bool is_loopback() const { return scope() == AddressScope::loopback; }
  // 0.0.0.0 or ::
  [[nodiscard]] bool is_unspecified() const { return octets_ == std::array<std::uint8_t, 16>{}; }

  // Canonical text (RFC 5952), e.g. "192.0.2.1", "2001:db8::1".
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool is_v6_ = false;
  std::array<std::uint8_t, 16> octets_{};  // IPv4 uses the first four; the rest stay zero
};

// Of "host", "host:port" or "[::1]:port": whether that is `localhost` or a loopback address. No
// name is resolved.
[[nodiscard]] bool names_loopback(std::string_view authority);

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  // "192.0.2.1:25" or "[2001:db8::1]:25"; the port is needed. Errors: invalid_input.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view text);
  // The same, and a bare address, with or without brackets, gets `default_port`.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view text, std::uint16_t default_port);

  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace todoku::net

template <>
struct std::hash<todoku::net::IpAddress> {
  std::size_t operator()(const todoku::net::IpAddress& address) const noexcept {
    const auto octets = address.octets();
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(octets.data()), octets.size()});
  }
};
template <>
struct std::hash<todoku::net::Endpoint> {
  std::size_t operator()(const todoku::net::Endpoint& endpoint) const noexcept {
    return std::hash<todoku::net::IpAddress>()(endpoint.address) * 65'599U + endpoint.port;
  }
};
