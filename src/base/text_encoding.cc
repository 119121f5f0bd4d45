// SPDX-License-Identifier: Apache-2.0
#include "base/text_encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"

namespace todoku {
namespace {

constexpr std::size_t kGuessOctets = 4'096;
// Of one line that has no end, looked at in one.
constexpr std::size_t kLineOctetsMax = std::size_t{64} * 1024;

constexpr Sentence kUtf16 = {"it looks like UTF-16; save it as UTF-8 (in Excel: \"CSV UTF-8\")",
                             "UTF-16のようです。UTF-8で保存してください (Excelでは「CSV UTF-8」)"};
constexpr Sentence kShiftJis = {
    "it looks like Shift_JIS; save it as UTF-8 (in Excel: \"CSV UTF-8\")",
    "Shift_JISのようです。UTF-8で保存してください (Excelでは「CSV UTF-8」)"};
constexpr Sentence kEucJp = {"it looks like EUC-JP; save it as UTF-8",
                             "EUC-JPのようです。UTF-8で保存してください"};
constexpr Sentence kIso2022 = {"it looks like ISO-2022-JP; save it as UTF-8",
                               "ISO-2022-JPのようです。UTF-8で保存してください"};
constexpr Sentence kWorkbook = {
    "it looks like a zip archive or an Excel workbook; save it as CSV (in Excel: \"CSV UTF-8\")",
    "zipまたはExcelブックのようです。CSVで保存してください (Excelでは「CSV UTF-8」)"};

constexpr Sentence kNotUtf8 = {"is not valid UTF-8", "UTF-8として不正な文字列です"};
constexpr Sentence kMarkup = {
    "it looks like HTML or XML; save it as CSV (in Excel: \"CSV UTF-8\")",
    "HTMLまたはXMLのようです。CSVで保存してください (Excelでは「CSV UTF-8」)"};

std::uint8_t octet(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool between(std::uint8_t value, std::uint8_t low, std::uint8_t high) {
  return value >= low && value <= high;
}

// What other software calls a spreadsheet and is a web page.
bool is_markup(std::string_view text) {
  constexpr std::string_view kByteOrder = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrder)) text.remove_prefix(kByteOrder.size());
  text = trim(text);
  constexpr std::array<std::string_view, 7> kBeginnings{"<!doctype", "<html", "<head", "<meta",
                                                        "<table",    "<?xml", "<!--"};
  return std::ranges::any_of(kBeginnings, [&](std::string_view beginning) {
    return equals_ignoring_case(text.substr(0, beginning.size()), beginning);
  });
}

// Half of the octets of plain text are NUL, in one of the two places of each pair.
bool is_utf16(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return true;
  std::size_t even = 0;
  std::size_t odd = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') ++(i % 2 == 0 ? even : odd);
  }
  const std::size_t pairs = text.size() / 2;
  return pairs > 0 && ((even == 0 && 2 * odd > pairs) || (odd == 0 && 2 * even > pairs));
}

// JIS X 0208 as Shift_JIS with Microsoft's rows; half-width katakana are single octets. What was
// cut at its end still counts.
bool is_shift_jis(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t lead = octet(text, i);
    if (lead < 0x80 || between(lead, 0xA1, 0xDF)) continue;
    if (!between(lead, 0x81, 0x9F) && !between(lead, 0xE0, 0xFC)) return false;
    if (++i == text.size()) return true;
    const std::uint8_t trail = octet(text, i);
    if (!between(trail, 0x40, 0x7E) && !between(trail, 0x80, 0xFC)) return false;
  }
  return true;
}

bool is_euc_jp(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t lead = octet(text, i);
    if (lead < 0x80) continue;
    if (lead != 0x8E && lead != 0x8F && !between(lead, 0xA1, 0xFE)) return false;
    for (int trails = lead == 0x8F ? 2 : 1; trails > 0; --trails) {
      if (++i == text.size()) return true;
      if (!between(octet(text, i), 0xA1, 0xFE)) return false;
    }
  }
  return true;
}

}  // namespace

Sentence iso_2022_in(std::string_view octets) {
  constexpr std::string_view kDesignates = "$()*+-./";
  for (auto at = octets.find('\x1B'); at != std::string_view::npos;
       at = octets.find('\x1B', at + 1)) {
    if (at + 1 < octets.size() && kDesignates.contains(octets[at + 1])) return kIso2022;
  }
  return octets.contains('\x0E') ? kIso2022 : Sentence{"", ""};
}

Sentence guessed_encoding(std::string_view octets) {
  // Office Open XML is a ZIP archive; older workbooks are compound files ([MS-CFB] section 2.2).
  if (octets.starts_with("PK\x03\x04") || octets.starts_with("\xD0\xCF\x11\xE0")) {
    return kWorkbook;
  }
  if (is_utf16(octets)) return kUtf16;
  if (is_markup(octets)) return kMarkup;
  if (const Sentence found = iso_2022_in(octets); !found.en.empty()) return found;
  if (is_utf8(octets)) return {};
  // Much EUC-JP is Shift_JIS as well, as half-width katakana in a row, which nobody writes.
  if (is_euc_jp(octets)) return kEucJp;
  if (is_shift_jis(octets)) return kShiftJis;
  return {};
}

Sentence foreign_encoding(std::string_view octets) {
  constexpr Sentence kUtf16Text = {"it looks like UTF-16; save it as UTF-8",
                                   "UTF-16のようです。UTF-8で保存してください"};
  constexpr Sentence kShiftJisText = {"it looks like Shift_JIS; save it as UTF-8",
                                      "Shift_JISのようです。UTF-8で保存してください"};
  constexpr Sentence kUnknown = {"it is not valid UTF-8; save it as UTF-8",
                                 "UTF-8として不正な文字列です。UTF-8で保存してください"};
  const bool is_valid = is_utf8(octets);
  if (is_utf16(octets) || (!is_valid && octets.contains('\0'))) return kUtf16Text;
  if (const Sentence found = iso_2022_in(octets); !found.en.empty()) return found;
  if (is_valid) return {};
  if (is_euc_jp(octets)) return kEucJp;
  return is_shift_jis(octets) ? kShiftJisText : kUnknown;
}

void EncodingCheck::push(std::string_view octets) {
  if (found_) return;
  pending_ += octets;
  if (!begun_ && pending_.size() < kGuessOctets) return;
  std::size_t whole = pending_.rfind('\n') + 1;  // 0: no line has ended
  if (whole == 0 && pending_.size() >= kLineOctetsMax) {
    whole = utf8_prefix(pending_, kLineOctetsMax).size();
  }
  begin();
  look_at(std::string_view(pending_).substr(0, whole));
  pending_.erase(0, whole);
}

void EncodingCheck::finish() {
  begin();
  look_at(pending_);
  pending_.clear();
}

void EncodingCheck::begin() {
  if (std::exchange(begun_, true)) return;
  const Sentence guess = guessed_encoding(utf8_prefix(pending_, kGuessOctets));
  if (!guess.en.empty()) found_ = {std::string(guess.en), std::string(guess.ja)};
}

void EncodingCheck::look_at(std::string_view octets) {
  if (found_) return;
  if (is_utf8(octets) && iso_2022_in(octets).en.empty()) {
    line_ += static_cast<std::uint64_t>(std::ranges::count(octets, '\n'));
    return;
  }
  while (!octets.empty() && !found_) {
    const std::size_t end = std::min(octets.find('\n'), octets.size() - 1) + 1;
    look_at_line(octets.substr(0, end));
    if (octets[end - 1] == '\n') ++line_;
    octets.remove_prefix(end);
  }
}

void EncodingCheck::look_at_line(std::string_view line) {
  Sentence what = iso_2022_in(line);
  if (what.en.empty() && is_utf8(line)) return;
  if (what.en.empty()) what = guessed_encoding(line);
  if (what.en.empty()) what = kNotUtf8;
  found_ = {fmt::format("line {}: {}", line_, what.en), fmt::format("{}行目: {}", line_, what.ja)};
}

}  // namespace todoku
