// SPDX-License-Identifier: Apache-2.0
#include "mime/foreign_text.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include "base/bytes.h"
#include "mime/shift_jis.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kCharsetNameMax = 40;
constexpr unsigned kFirstCell = 0x21;
constexpr unsigned kCellsOfRow = 94;

// What has no counterpart of its own in windows-31j: no lead octet, and no character.
constexpr char kNothing = '\xFD';

enum class JisState : std::uint8_t { ascii, kanji, kana, unknown };

// The state that an escape sequence (RFC 1468, and CP50221 for kana) leads to, and its octets.
struct EscapeSequence {
  std::string_view sequence;
  JisState state;
};
constexpr std::array<EscapeSequence, 5> kEscapes{{
    {"\x1B(B", JisState::ascii},
    {"\x1B(J", JisState::ascii},  // JIS X 0201 Roman, but for the yen sign and the overline
    {"\x1B$B", JisState::kanji},
    {"\x1B$@", JisState::kanji},
    {"\x1B(I", JisState::kana},
}};

bool is_cell(char c) {
  return static_cast<unsigned char>(c) - kFirstCell < kCellsOfRow;
}

// ISO-2022-JP as Shift_JIS, whose table is the right one.
std::string shift_jis_of(std::string_view jis) {
  std::string out;
  JisState state = JisState::ascii;
  while (!jis.empty()) {
    const auto* const escape = std::ranges::find_if(
        kEscapes, [&](const EscapeSequence& one) { return jis.starts_with(one.sequence); });
    if (escape != kEscapes.end()) {
      state = escape->state;
      jis.remove_prefix(escape->sequence.size());
    } else if (jis.front() == '\x1B') {
      state = JisState::unknown;
      jis.remove_prefix(1);
    } else if (state == JisState::kanji && jis.size() > 1 && is_cell(jis[0]) && is_cell(jis[1])) {
      const auto octets = shift_jis(static_cast<unsigned char>(jis[0]) - kFirstCell + 1,
                                    static_cast<unsigned char>(jis[1]) - kFirstCell + 1);
      out.append(octets.data(), octets.size());
      jis.remove_prefix(2);
    } else {
      const char c = jis.front();
      const bool kana = state == JisState::kana && c >= '!' && c <= '_';
      const bool plain = static_cast<unsigned char>(c) < 0x80 &&
                         (state == JisState::ascii || static_cast<unsigned char>(c) <= ' ');
      out +=
          kana ? static_cast<char>(static_cast<unsigned char>(c) | 0x80U) : (plain ? c : kNothing);
      jis.remove_prefix(1);
    }
  }
  return out;
}

std::optional<std::string> converted(std::string_view octets, const char* charset) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(charset, &status),
                                                                     &ucnv_close);
  if (U_FAILURE(status) != 0) return std::nullopt;
  const icu::UnicodeString text(octets.data(), static_cast<std::int32_t>(octets.size()),
                                converter.get(), status);
  if (U_FAILURE(status) != 0) return std::nullopt;
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string utf8_of(std::string_view octets, std::string_view charset) {
  const std::string name = to_ascii_lower(charset);
  // ICU has words of its own for its converters, which are nobody's charset.
  const bool is_name =
      !name.empty() && name.size() <= kCharsetNameMax && std::ranges::all_of(name, [](char c) {
        return is_ascii_alphanumeric(c) || std::string_view("-_.:+").contains(c);
      });
  if (!is_name || is_one_of(name, {"utf-8", "utf8", "us-ascii", "ascii"})) {
    return std::string(octets);
  }
  if (is_one_of(name, {"iso-2022-jp", "iso-2022-jp-ms", "csiso2022jp", "cp50220", "cp50221"})) {
    const std::string windows = shift_jis_of(octets);
    return converted(windows, kWindows31j).value_or(std::string(octets));
  }
  const bool is_windows_31j =
      is_one_of(name, {"shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "cp932", "ms932",
                       "ms_kanji", "csshiftjis"});
  return converted(octets, is_windows_31j ? kWindows31j : name.c_str())
      .value_or(std::string(octets));
}

}  // namespace todoku::mime
