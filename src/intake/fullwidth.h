// SPDX-License-Identifier: Apache-2.0
// Characters that an input method leaves in the place of ASCII's.
#pragma once

#include <optional>

namespace todoku::intake {

// What is meant by a fullwidth form of ASCII (U+FF01 to U+FF5E), or by the full stop of Japanese
// text (U+3002 and its halfwidth form U+FF61) where there can only be a dot.
[[nodiscard]] constexpr std::optional<char> ascii_meant_by(char32_t character) {
  if (character == 0x3002 || character == 0xFF61) return '.';
  if (character < 0xFF01 || character > 0xFF5E) return std::nullopt;
  return static_cast<char>(character - 0xFF01 + '!');
}

}  // namespace todoku::intake
