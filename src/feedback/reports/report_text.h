// SPDX-License-Identifier: Apache-2.0
// Texts and counts of strangers in reports. Within feedback/reports.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace todoku::feedback::reports {

// Of messages or sessions: no receiver has seen more, and sums of such stay far from overflow.
inline constexpr std::int64_t kCountMax = 1'000'000'000'000;

// Control characters become spaces: a name with a line break in it would forge lines where it is
// shown.
[[nodiscard]] inline std::string on_one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') c = ' ';
  }
  return out;
}

}  // namespace todoku::feedback::reports
