// SPDX-License-Identifier: Apache-2.0
#include "intake/list_charset.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::intake {
namespace {

using mime::TextEncoding;

constexpr std::size_t kShown = 40;

// As programs call them (IANA's names and aliases).
constexpr std::array<std::string_view, 4> kAscii{"us-ascii", "ascii", "utf-8", "utf8"};
constexpr std::array<std::string_view, 10> kShiftJis{"shift_jis",   "shift-jis",  "sjis",  "x-sjis",
                                                     "ms_kanji",    "cp932",      "ms932", "932",
                                                     "windows-31j", "windows-932"};

bool is_called(TextEncoding encoding, std::string_view name) {
  switch (encoding) {
    case TextEncoding::utf_8:
      return std::ranges::find(kAscii, name) != kAscii.end();
    case TextEncoding::shift_jis:
      return std::ranges::find(kShiftJis, name) != kShiftJis.end();
    case TextEncoding::utf_16le:
      return name == "utf-16" || name == "utf-16le";
    case TextEncoding::utf_16be:
      return name == "utf-16" || name == "utf-16be";
  }
  return false;
}

}  // namespace

void ListCharset::name(std::string_view charset) {
  name_ = to_ascii_lower(trim(charset.substr(0, kShown)));
}

void ListCharset::push(std::string_view octets) {
  if (!name_.empty() && !guess_.decided()) guess_.push(octets);
}

std::string ListCharset::warning(store::ImportForm form) {
  if (name_.empty()) return {};
  // RFC 8259 section 8.1.
  const bool is_json = form == store::ImportForm::ndjson;
  const ListEncoding found = is_json ? ListEncoding{} : guess_.finish();
  // What is ASCII alone is the same in each of them but UTF-16.
  const bool is_ascii = !is_json && found.by == EncodingBy::ascii && !name_.starts_with("utf-16");
  if (is_ascii || is_called(found.encoding, name_)) return {};
  std::string shown = name_;
  std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("the list is called {} and read as {}", shown, to_string(found.encoding));
}

}  // namespace todoku::intake
