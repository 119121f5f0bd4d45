// SPDX-License-Identifier: Apache-2.0
// IP addresses as mailauth/facts gives them, 4 or 16 octets in network order, and their text in
// records. The connection's own address comes parsed (net/endpoint.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace todoku::mailauth::spf {

// The octets of a dotted quad without leading zeros (RFC 7208 section 5.6, qnum).
[[nodiscard]] std::optional<std::string> octets_of_ip4(std::string_view text);
// The octets of an RFC 4291 section 2.2 text, without zone.
[[nodiscard]] std::optional<std::string> octets_of_ip6(std::string_view text);

// "192.0.2.1", "2001:db8::1" (RFC 5952).
[[nodiscard]] std::string address_text(std::string_view octets);

// An IPv4-mapped IPv6 address is the IPv4 address in it (section 5).
[[nodiscard]] std::string unmapped(std::string octets);

// Whether both are of one family and equal in their first `bits` bits.
[[nodiscard]] bool in_network(std::string_view address, std::string_view network, unsigned bits);

}  // namespace todoku::mailauth::spf
