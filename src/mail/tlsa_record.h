// SPDX-License-Identifier: Apache-2.0
// What a receiver publishes in the DNS about its certificate (RFC 6698), as data.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace todoku {

struct TlsaRecord {  // RFC 6698 section 2.1
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching = 0;
  std::string data;  // octets
  friend auto operator<=>(const TlsaRecord&, const TlsaRecord&) = default;
};

}  // namespace todoku
