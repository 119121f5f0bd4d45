// SPDX-License-Identifier: Apache-2.0
// Where a request says that it goes: "example.jp:8025", as Host has it (RFC 9110 section 7.2).
#pragma once

#include <optional>
#include <string_view>

namespace todoku::http {

struct Authority {
  std::string_view host;  // without brackets; never empty
  std::string_view port;  // digits, at most 65535; empty: none is given
};

// RFC 3986 section 3.2, without user information, which Host never has. nullopt: it is none.
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text);

}  // namespace todoku::http
