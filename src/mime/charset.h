// SPDX-License-Identifier: Apache-2.0
// UTF-8 to ISO-2022-JP as Japanese mail means it: Microsoft's code page 50220.
//
// That is ASCII and JIS X 0208 with NEC's row 13 (U+2460, U+3231) and the NEC-selected IBM
// extensions of rows 89-92 (U+9AD9), all under ESC $ B; half-width kana are widened, and a voiced
// mark joins the kana before it. ICU's own ISO-2022-JP converter refuses half-width kana and the
// IBM extensions and announces the yen sign as JIS X 0201, so the table here is made from its
// windows-31j mapping. The characters that vendors map differently (wave dash and fullwidth tilde,
// the minus signs, yen, cent, pound, not) are all accepted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mail/content.h"

namespace todoku::mime {

using todoku::Encoding;

// As it stands in Content-Type and encoded-words.
[[nodiscard]] std::string_view charset_name(Encoding encoding);

inline constexpr std::string_view kJisToKanji = "\x1B$B";  // ESC $ B: JIS X 0208-1983
inline constexpr std::string_view kJisToAscii = "\x1B(B";  // ESC ( B

// What one or two code points of UTF-8 (a kana and its voiced mark) become.
struct JisUnit {
  std::uint16_t code = 0;   // below 0x80: ASCII, else row and cell, 0x2121 to 0x7E7E
  std::uint8_t octets = 0;  // of UTF-8
  [[nodiscard]] bool is_ascii() const { return code < 0x80; }
};

// The unit at the start of `utf8`, which must not be empty. nullopt if it has no place in the code
// page: other scripts, emoji, ill-formed UTF-8, and controls other than HT, CR and LF.
[[nodiscard]] std::optional<JisUnit> next_jis_unit(std::string_view utf8);

[[nodiscard]] bool fits_iso_2022_jp(std::string_view utf8);

// Appends `utf8` in ISO-2022-JP, beginning and ending in the ASCII state; a line end is ASCII too,
// so every line begins and ends there. Error invalid_input names the first code point that has no
// place; `out` is then as before.
[[nodiscard]] Result<void> append_iso_2022_jp(std::string& out, std::string_view utf8);

}  // namespace todoku::mime
