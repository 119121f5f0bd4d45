// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986 section 2.1). Which characters need it differs from place to place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace todoku {

// "%0A", in capitals, as section 2.1 asks of who writes.
inline void append_percent_encoded(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto octet = static_cast<std::uint8_t>(c);
  out += '%';
  out += kDigits[octet >> 4U];
  out += kDigits[octet & 15U];
}

}  // namespace todoku
