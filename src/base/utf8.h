// SPDX-License-Identifier: Apache-2.0
// One code point at a time out of UTF-8 (RFC 3629), safe on any octets, and into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace todoku {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

struct CodePoint {
  char32_t value = 0;
  std::uint8_t octets = 0;  // 0: the text does not begin with a well-formed sequence
};

// The first code point of `text`, which must not be empty.
[[nodiscard]] inline CodePoint decode_utf8(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto continues = [&](std::size_t i) { return (octet(i) & 0xC0U) == 0x80; };
  const char32_t lead = octet(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) {
    if (lead < 0xC2 || text.size() < 2 || !continues(1)) return {};
    return {(lead & 0x1FU) << 6U | (octet(1) & 0x3FU), 2};
  }
  if (lead < 0xF0) {
    if (text.size() < 3 || !continues(1) || !continues(2)) return {};
    const char32_t value = (lead & 0x0FU) << 12U | (octet(1) & 0x3FU) << 6U | (octet(2) & 0x3FU);
    if (value < 0x800 || (value >= 0xD800 && value <= 0xDFFF)) return {};
    return {value, 3};
  }
  if (lead > 0xF4 || text.size() < 4 || !continues(1) || !continues(2) || !continues(3)) return {};
  const char32_t value = (lead & 0x07U) << 18U | (octet(1) & 0x3FU) << 12U |
                         (octet(2) & 0x3FU) << 6U | (octet(3) & 0x3FU);
  if (value < 0x10000 || value > 0x10FFFF) return {};
  return {value, 4};
}

// `value` must be a code point: at most U+10FFFF and no surrogate.
inline void append_utf8(std::string& out, char32_t value) {
  if (value < 0x80) {
    out += static_cast<char>(value);
  } else if (value < 0x800) {
    out += static_cast<char>(0xC0U | value >> 6U);
    out += static_cast<char>(0x80U | (value & 0x3FU));
  } else if (value < 0x10000) {
    out += static_cast<char>(0xE0U | value >> 12U);
    out += static_cast<char>(0x80U | (value >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (value & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | value >> 18U);
    out += static_cast<char>(0x80U | (value >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (value >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (value & 0x3FU));
  }
}

// The longest prefix of well-formed UTF-8 that is at most `octets_max` (4 or more) long and splits
// no code point. Never empty unless `text` is.
[[nodiscard]] inline std::string_view utf8_prefix(std::string_view text, std::size_t octets_max) {
  if (text.size() <= octets_max) return text;
  for (std::size_t cut = octets_max; cut + 4 > octets_max; --cut) {
    if ((static_cast<std::uint8_t>(text[cut]) & 0xC0U) != 0x80) return text.substr(0, cut);
  }
  return text.substr(0, octets_max);
}

// How many octets at the start of `text` are printable ASCII, U+0020 to U+007E. Eight at a time:
// texts of mails are looked through several times on their way in.
[[nodiscard]] inline std::size_t printable_octets(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::uint64_t kTop = 0x80 * kEach;
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t without_delete = word ^ (0x7F * kEach);
    const std::uint64_t others =
        word | ((word - 0x20 * kEach) & ~word) | ((without_delete - kEach) & ~without_delete);
    if ((others & kTop) != 0) break;
  }
  while (at < text.size() && text[at] >= ' ' && text[at] <= '~') ++at;
  return at;
}

// How many octets at the start of `text` are well-formed sequences of three octets that begin with
// E3 to EC: U+3000 to U+CFFF, kana, ideographs and most of Hangul. Also for speed.
[[nodiscard]] inline std::size_t wide_octets(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::size_t at = 0;
  while (text.size() - at >= 3 && octet(at) >= 0xE3 && octet(at) <= 0xEC &&
         (octet(at + 1) & 0xC0U) == 0x80 && (octet(at + 2) & 0xC0U) == 0x80) {
    at += 3;
  }
  return at;
}

}  // namespace todoku
