// SPDX-License-Identifier: Apache-2.0
#include "mail/invisible.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <unicode/uchar.h>

#include "base/printable.h"
#include "base/utf8.h"

namespace todoku {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 15.0, in order. A test compares it with ICU.
constexpr std::array kInvisible = std::to_array<Range>({
    {0x0009, 0x000D},   {0x0020, 0x0020},   {0x0080, 0x00A0},   {0x00AD, 0x00AD},
    {0x034F, 0x034F},   {0x0600, 0x0605},   {0x061C, 0x061C},   {0x06DD, 0x06DD},
    {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},   {0x115F, 0x1160},
    {0x1680, 0x1680},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x206F},   {0x2800, 0x2800},   {0x3000, 0x3000},
    {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
});

// The last character of `text`, which must not be empty.
CodePoint last_character(std::string_view text) {
  for (std::size_t octets = 1; octets <= std::min<std::size_t>(4, text.size()); ++octets) {
    const CodePoint point = decode_utf8(text.substr(text.size() - octets));
    if (point.octets == octets) return point;
  }
  return {};
}

}  // namespace

bool is_invisible(char32_t character) {
  if (is_noncharacter(character)) return true;
  const auto after =
      std::ranges::upper_bound(kInvisible, character, std::less{}, [](Range r) { return r.first; });
  return after != kInvisible.begin() && character <= std::prev(after)->last;
}

std::string_view trim_invisible(std::string_view text) {
  while (!text.empty()) {
    const CodePoint first = decode_utf8(text);
    if (first.octets == 0 || !is_invisible(first.value)) break;
    text.remove_prefix(first.octets);
  }
  while (!text.empty()) {
    const CodePoint last = last_character(text);
    if (last.octets == 0 || !is_invisible(last.value)) break;
    text.remove_suffix(last.octets);
  }
  return text;
}

std::optional<Invisible> find_invisible(std::string_view text) {
  for (std::size_t position = 1;; ++position) {
    const std::size_t seen = printable_octets(text);
    position += seen;
    text.remove_prefix(seen);
    if (text.empty()) return std::nullopt;
    const CodePoint point = decode_utf8(text);
    if (point.octets == 0) return std::nullopt;
    if (point.value != ' ' && is_invisible(point.value)) return Invisible{point.value, position};
    text.remove_prefix(point.octets);
  }
}

std::string character_name(char32_t character) {
  std::string name = fmt::format("U+{:04X}", static_cast<std::uint32_t>(character));
  std::array<char, 128> buffer{};
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t octets =
      u_charName(static_cast<UChar32>(character), U_UNICODE_CHAR_NAME, buffer.data(),
                 static_cast<std::int32_t>(buffer.size()), &status);
  if (U_SUCCESS(status) && octets > 0) {
    name += ' ';
    name.append(buffer.data(), static_cast<std::size_t>(octets));
  }
  return name;
}

void strip_misleading(std::string& text) {
  std::string kept;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = decode_utf8(rest);
    const std::string_view octets = rest.substr(0, std::max<std::size_t>(point.octets, 1));
    rest.remove_prefix(octets.size());
    const bool control = point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0);
    if (point.octets == 0 || control || !is_misleading(point.value)) kept += octets;
  }
  text = std::move(kept);
}

}  // namespace todoku
