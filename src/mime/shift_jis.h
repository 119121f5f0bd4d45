// SPDX-License-Identifier: Apache-2.0
// JIS X 0208 as windows-31j has it, which is what Japanese mail means by it (mime/charset.h).
#pragma once

#include <array>

namespace todoku::mime {

// The name of windows-31j that ICU maps as Windows does.
inline constexpr const char* kWindows31j = "ibm-943_P15A-2003";

// The two octets of Shift_JIS for a row and cell, both 1 to 94.
[[nodiscard]] constexpr std::array<char, 2> shift_jis(unsigned row, unsigned cell) {
  unsigned lead = (row - 1) / 2 + 0x81;
  if (lead > 0x9F) lead += 0x40;
  unsigned trail = row % 2 == 0 ? cell + 0x9E : cell + 0x3F;
  if (row % 2 != 0 && trail >= 0x7F) ++trail;
  return {static_cast<char>(lead), static_cast<char>(trail)};
}

}  // namespace todoku::mime
