// SPDX-License-Identifier: Apache-2.0
// The name that a client gives a request, at whatever door (docs/adr/0019).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace todoku {

inline constexpr std::size_t kIdempotencyKeyMax = 255;  // characters

// 1 to kIdempotencyKeyMax characters of visible ASCII.
[[nodiscard]] constexpr bool is_idempotency_key(std::string_view text) {
  return !text.empty() && text.size() <= kIdempotencyKeyMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace todoku
