// SPDX-License-Identifier: Apache-2.0
#include "mail/unitext.h"

#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "base/utf8.h"

namespace todoku {
namespace {

constexpr std::string_view kOpen = "\\x{";
constexpr std::string_view kSpecials = " +=\\";

// RFC 6533 section 3: QCHAR.
bool is_qchar(char32_t value) {
  return value > ' ' && value <= '~' && !kSpecials.contains(static_cast<char>(value));
}

// RFC 6533 section 3: HEXPOINT, without the controls.
bool may_be_embedded(char32_t value) {
  if (value < 0x80) return kSpecials.contains(static_cast<char>(value));
  return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

// Takes \x{HEX} off the front. nullopt: it does not stand there.
std::optional<char32_t> take_embedded(std::string_view& text) {
  if (!text.starts_with(kOpen)) return std::nullopt;
  const std::string_view rest = text.substr(kOpen.size());
  const std::size_t digits = rest.find('}');
  // The longest is 10FFFF; leading zeros would be a second spelling.
  if (digits == std::string_view::npos || digits < 2 || digits > 6 || rest.front() == '0') {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + digits, value, 16);
  if (error != std::errc() || end != rest.data() + digits) return std::nullopt;
  if (!may_be_embedded(value)) return std::nullopt;
  text.remove_prefix(kOpen.size() + digits + 1);
  return value;
}

}  // namespace

std::string to_unitext(std::string_view text, Unitext form) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const bool stands = point.octets == 0 || is_qchar(point.value) ||
                        (point.octets > 1 && form == Unitext::eight_bit);
    const std::size_t octets = point.octets == 0 ? 1 : point.octets;
    if (stands) {
      out += text.substr(0, octets);
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{{{:02X}}}",
                     static_cast<std::uint32_t>(point.value));
    }
    text.remove_prefix(octets);
  }
  return out;
}

std::optional<std::string> from_unitext(std::string_view text, Unitext form) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const auto embedded = take_embedded(text)) {
      append_utf8(out, *embedded);
      continue;
    }
    const CodePoint point = decode_utf8(text);
    const bool stands = is_qchar(point.value) || (point.octets > 1 && form == Unitext::eight_bit);
    if (point.octets == 0 || !stands) return std::nullopt;
    out += text.substr(0, point.octets);
    text.remove_prefix(point.octets);
  }
  return out;
}

}  // namespace todoku
