// SPDX-License-Identifier: Apache-2.0
// Characters that nobody sees: what copying from a document, a chat or a spreadsheet leaves in and
// around an address. They make another mailbox of it, one that nobody has.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace todoku {

// Unicode's white space and separators (Zs, Zl, Zp), format characters (Cf), what is ignorable by
// default (fillers, variation selectors), the controls of C1, U+2800, which shows as a space, and
// noncharacters. Of ASCII's controls only HT to CR: the others are a mistake wherever they stand.
[[nodiscard]] bool is_invisible(char32_t character);

// `text` without invisible characters at its ends. Never cuts into well-formed UTF-8.
[[nodiscard]] std::string_view trim_invisible(std::string_view text);

struct Invisible {
  char32_t character = 0;
  std::size_t position = 0;  // in characters, from 1
};

// The first invisible character of well-formed UTF-8 but for U+0020, which anybody can see between
// two others.
[[nodiscard]] std::optional<Invisible> find_invisible(std::string_view text);

// How a character is called: "U+200B ZERO WIDTH SPACE", or only its number if Unicode has no name
// for it.
[[nodiscard]] std::string character_name(char32_t character);

// Takes directional characters, noncharacters and the like out of one line that people read: a
// name, a subject (base/printable.h). They are left behind by copying, nobody sees them, and they
// make a sender show as another. Controls stay, for whoever asks for them: they are no accident.
void strip_misleading(std::string& text);

}  // namespace todoku
