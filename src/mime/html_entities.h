// SPDX-License-Identifier: Apache-2.0
// Character references of HTML: names of HTML 4.01 and numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace todoku::mime {

enum class HtmlPlace : std::uint8_t { text, attribute };

// Appends `text` with its references replaced; what is none stays as it is. Appends no more octets
// than `text` has.
void append_html_text(std::string& out, std::string_view text, HtmlPlace place);

}  // namespace todoku::mime
