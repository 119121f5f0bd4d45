// SPDX-License-Identifier: Apache-2.0
// Content-Transfer-Encoding (RFC 2045 section 6). base64 itself is in base/bytes.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace todoku::mime {

enum class TransferEncoding : std::uint8_t { seven_bit, quoted_printable, base64 };

// As it stands in the header, e.g. "quoted-printable".
[[nodiscard]] std::string_view to_string(TransferEncoding encoding);

// Appends text with CRLF line ends in quoted-printable: lines of at most 76 characters, and no line
// that begins with "." or "From ", which mail systems on the way like to change.
void append_quoted_printable(std::string& out, std::string_view text);

}  // namespace todoku::mime
