// SPDX-License-Identifier: Apache-2.0
// Characters that nobody sees: what copying from a document, a chat or a spreadsheet leaves in and
// around an address. They make another mailbox of it, one that nobody has.
#pragma once

#include <optional>
#include <string_view>

namespace todoku {

// Unicode's white space and separators (Zs, Zl, Zp), format characters (Cf), what is ignorable by
// default (fillers, variation selectors), and the controls of C1. Of ASCII's controls only HT to
// CR: the others are a mistake wherever they stand.
[[nodiscard]] bool is_invisible(char32_t character);

// `text` without invisible characters at its ends. Never cuts into well-formed UTF-8.
[[nodiscard]] std::string_view trim_invisible(std::string_view text);

// The first invisible character of well-formed UTF-8 but for U+0020, which anybody can see between
// two others.
[[nodiscard]] std::optional<char32_t> find_invisible(std::string_view text);

}  // namespace todoku
