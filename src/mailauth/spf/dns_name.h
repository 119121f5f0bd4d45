// SPDX-License-Identifier: Apache-2.0
// Names that macros made, which may hold any octets, as questions to the DNS.
#pragma once

#include <string>
#include <string_view>

namespace todoku::mailauth::spf {

// Whether `name` fits the DNS: labels of 1 to 63 octets, 253 in all (RFC 1035 section 2.3.4). What
// does not is asked by nobody, and does not exist (RFC 7208 section 4.8 leaves it open).
[[nodiscard]] bool is_dns_name(std::string_view name);

// Lower case, octets that do not show themselves as \DDD (RFC 1035 section 5.1): the form of
// names in DnsFact.
[[nodiscard]] std::string dns_name(std::string_view name);

// Whether `name` is `domain` or below it; both in the form of dns_name().
[[nodiscard]] bool is_at_or_below(std::string_view name, std::string_view domain);

}  // namespace todoku::mailauth::spf
