// SPDX-License-Identifier: Apache-2.0
// Characters that do not show as themselves but change how the text around them shows, and text
// without them. One rule for everything that reaches a terminal, a log line or a label of a mail.
#pragma once

#include <string>
#include <string_view>

namespace todoku {

// U+FDD0 to U+FDEF and the last two of each plane: no characters, nothing can be meant by them.
[[nodiscard]] constexpr bool is_noncharacter(char32_t value) {
  return (value >= 0xFDD0 && value <= 0xFDEF) || (value & 0xFFFE) == 0xFFFE;
}

// Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9, section 2):
// with one of them "gpj.exe" shows as "exe.jpg".
[[nodiscard]] constexpr bool is_directional(char32_t value) {
  return value == 0x061C || value == 0x200E || value == 0x200F ||
         (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
}

// Controls (C0, DEL, C1), line and paragraph separators, directional characters, noncharacters, and
// U+2800, which shows as a space and is none.
[[nodiscard]] constexpr bool is_misleading(char32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0x2028 || value == 0x2029 ||
         value == 0x2800 || is_directional(value) || is_noncharacter(value);
}

// `text` from outside, fit for a terminal: HT becomes a space; every other misleading character,
// and every octet that is no UTF-8, a question mark.
void append_printable(std::string& out, std::string_view text);
[[nodiscard]] std::string printable(std::string_view text);
// As much of it as a sentence repeats: some 100 octets, and "…" where there is more.
[[nodiscard]] std::string printable_briefly(std::string_view text);

}  // namespace todoku
