// SPDX-License-Identifier: Apache-2.0
// How a smarthost is written in the configuration.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::config {

struct SmarthostUrl {
  std::string host;  // a name in A-labels and lower case, or an address without brackets
  std::uint16_t port = 587;
  friend bool operator==(const SmarthostUrl&, const SmarthostUrl&) = default;
};

// "smtp://smtp.example.com", "smtp://192.0.2.7:25", "smtp://[2001:db8::1]:587"; RFC 6409 has port
// 587. Errors: invalid_input (also a user, a path, implicit TLS).
[[nodiscard]] Result<SmarthostUrl> parse_smarthost_url(std::string_view text);

}  // namespace todoku::config
