// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64 (RFC 4648), ASCII case and trimming. No allocation beyond the result.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace todoku {

[[nodiscard]] inline std::span<const std::uint8_t> as_octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(std::string_view octets);
// The same of one number, its highest digit first, where no text may be allocated.
void write_hex(std::uint64_t value, std::span<char, 16> out);
// nullopt on an odd length or a character that is not a hexadecimal digit.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

// Standard alphabet with padding, no line breaks.
[[nodiscard]] std::string to_base64(std::string_view octets);
void append_base64(std::string& out, std::string_view octets);
// Appends the base64 of `octets` with CRLF after every 76 characters (RFC 2045 section 6.8) and
// after the last line. The hot path of composing: in vectors where the processor has AVX2.
void append_base64_lines(std::string& out, std::string_view octets);
// Ignores white space; nullopt on any other character outside the alphabet or bad padding.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
// URL-safe alphabet without padding.
[[nodiscard]] std::string to_base64url(std::string_view octets);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

[[nodiscard]] constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
[[nodiscard]] std::string to_ascii_lower(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
// Without leading and trailing spaces, tabs, CRs and LFs.
[[nodiscard]] std::string_view trim(std::string_view text);

// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);
[[nodiscard]] bool is_ascii(std::string_view text);
[[nodiscard]] constexpr bool is_ascii_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// Number of code points of well-formed UTF-8.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace todoku
