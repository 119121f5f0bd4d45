// SPDX-License-Identifier: Apache-2.0
// Header text of others as people read it: encoded-words (RFC 2047), and raw octets that should
// have been one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace todoku::mime {

// Text in UTF-8 of an unfolded field body, at most `octets_max` octets of it, clean for one line
// of a header (mime/text.h). Encoded-words of one charset that follow one another are one text,
// also where a character lies across the edge. Of an unknown charset the octets that are UTF-8 stay
// (mime/foreign_text.h); raw ISO-2022-JP, as old programs write it, is read as what it is. A word
// of over a kilobyte is none, and beyond 64 times `octets_max` nothing is looked at.
[[nodiscard]] std::string decode_header_text(std::string_view text, std::size_t octets_max = 998);

// A field body on one line: CRLF before white space goes (RFC 5322 section 2.2.3).
[[nodiscard]] std::string unfolded(std::string_view body);

}  // namespace todoku::mime
