// SPDX-License-Identifier: Apache-2.0
// An address as receivers see it, for checks that know no sockets.
#pragma once

#include <string>

namespace todoku::doctor {

struct SourceAddress {
  std::string octets;      // 4 or 16 in network order
  std::string text;        // "192.0.2.25"
  bool is_public = false;  // receivers can see it: no private, loopback or link-local one
  friend bool operator==(const SourceAddress&, const SourceAddress&) = default;
};

}  // namespace todoku::doctor
