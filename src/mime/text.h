// SPDX-License-Identifier: Apache-2.0
// Making given text fit for a mail: well-formed UTF-8, CRLF line ends, and for headers no
// misleading character at all (base/printable.h): no control, so that nothing given can end a
// header line early (header injection), and no directional one, so that no name or subject shows as
// another.
#pragma once

#include <string>
#include <string_view>

namespace todoku::mime {

// RFC 5322 section 2.1.1 allows 998 octets a line; the margin is for a dot doubled by SMTP and for
// receivers that count CRLF.
inline constexpr std::size_t kLineOctetsMax = 990;

// True if both functions below would append `text` unchanged.
[[nodiscard]] bool is_clean_text(std::string_view text);

// Appends `text` with each CR, LF or CRLF as CRLF and ill-formed UTF-8 as U+FFFD. At most three
// times as long as `text`.
void append_body_text(std::string& out, std::string_view text);

// Appends `text` for one logical header line: line breaks and tabs become a space, other misleading
// characters vanish, ill-formed UTF-8 becomes U+FFFD. At most three times as long as `text`.
void append_header_text(std::string& out, std::string_view text);

[[nodiscard]] std::string body_text(std::string_view text);
[[nodiscard]] std::string header_text(std::string_view text);

// Every multipart boundary of ours begins with this, which no line of base64 or quoted-printable
// can (RFC 2045 section 6.7). A text with such a line is never sent as it is.
inline constexpr std::string_view kBoundaryPrefix = "=_";

// Of 7-bit lines, which may hold escape sequences (ISO-2022-JP).
struct LineTraits {
  bool has_leading_dot = false;  // some line begins with "."
  bool has_delimiter = false;    // some line begins like a delimiter of ours
  bool has_from = false;         // some line begins with "From ": relays write ">From ", and a
                                 // signature over it is broken (RFC 4155, appendix A)
  std::size_t longest_line = 0;  // without its CRLF

  // May stand in a body as they are.
  [[nodiscard]] bool fit_seven_bit() const {
    return !has_delimiter && !has_from && longest_line <= kLineOctetsMax;
  }
};
[[nodiscard]] LineTraits line_traits(std::string_view lines);

// Of text whose line ends are CRLF.
struct TextTraits {
  bool is_ascii = true;
  bool is_printable = true;  // ASCII without controls other than HT and CRLF
  LineTraits lines;

  [[nodiscard]] bool fits_seven_bit() const { return is_printable && lines.fit_seven_bit(); }
};
[[nodiscard]] TextTraits text_traits(std::string_view text);

}  // namespace todoku::mime
