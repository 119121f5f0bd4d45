// SPDX-License-Identifier: Apache-2.0
#include "mime/text_layout.h"

#include <algorithm>

#include "base/utf8.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kLineEndsMax = 3;  // two blank lines

// Spaces of HTML and those that layouts are padded with. U+3000 is a character of Japanese text.
bool is_collapsible(char32_t value) {
  return value == ' ' || (value >= '\t' && value <= '\r') || value == 0xA0 ||
         (value >= 0x2000 && value <= 0x200A) || value == 0x202F || value == 0x205F;
}

// What preheaders are padded with and lines may be broken at. Joiners stay: emoji and several
// scripts are written with them.
bool is_filler(char32_t value) {
  return value == 0xAD || value == 0x34F || value == 0x200B || value == 0x2060 || value == 0xFEFF;
}

bool is_joiner(char32_t value) {
  return value == 0x200C || value == 0x200D;
}

// Kana, ideographs and their punctuation: written without spaces.
bool is_wide(char32_t value) {
  return (value >= 0x2E80 && value <= 0x31FF) || (value >= 0x3200 && value <= 0x9FFF) ||
         (value >= 0xF900 && value <= 0xFAFF) || (value >= 0xFE30 && value <= 0xFE4F) ||
         (value >= 0xFF00 && value <= 0xFFEF) || (value >= 0x20000 && value <= 0x3FFFF);
}

bool is_other_control(char32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0);
}

}  // namespace

void TextLayout::append(std::string_view text) {
  if (out_.size() + text.size() > octets_max_) full_ = true;
  if (!full_) out_ += text;
}

void TextLayout::begin_line() {
  if (!out_.empty())
    append(std::string(std::clamp<std::size_t>(owed_lines_, 1, kLineEndsMax), '\n'));
  owed_lines_ = 0;
  owed_space_ = Space::none;
  owed_cell_ = {};
  append(bullet_.empty() ? prefix_ : bullet_);
  bullet_.clear();
  last_ = 0;
}

void TextLayout::put_character(std::string_view octets, char32_t value) {
  const bool begins_line = out_.empty() || owed_lines_ > 0;
  if (cell_ == Cell::row || cell_ == Cell::empty) {
    cell_ = Cell::line;
  } else if (cell_ == Cell::line && begins_line) {
    cell_ = Cell::lines;
  }
  if (begins_line) {
    begin_line();
    append(std::string_view(owed_cells_).substr(owed_cells_.starts_with(' ') ? 1 : 0));
  } else if (!owed_cells_.empty()) {
    append(owed_cells_);
  } else if (!owed_cell_.empty()) {
    append(owed_cell_);
  } else if (owed_space_ == Space::space ||
             (owed_space_ == Space::line_end && !(is_wide(last_) && is_wide(value)))) {
    append(" ");
  }
  owed_space_ = Space::none;
  owed_cell_ = {};
  owed_cells_.clear();
  append(octets);
  last_ = value;
}

void TextLayout::put(std::string_view text) {
  while (!text.empty() && !full_) {
    const CodePoint point = decode_utf8(text);
    const std::string_view octets = text.substr(0, std::max<std::size_t>(point.octets, 1));
    text.remove_prefix(octets.size());
    const bool between = owed_space_ != Space::none || owed_lines_ > 0 || out_.empty();
    if (point.octets == 0) {
      put_character(kReplacementCharacter, 0xFFFD);
    } else if (is_collapsible(point.value)) {
      const bool ends_line = point.value == '\n' || point.value == '\r';
      owed_space_ = std::max(owed_space_, ends_line ? Space::line_end : Space::space);
    } else if (!is_filler(point.value) && !is_other_control(point.value) &&
               !(between && is_joiner(point.value))) {
      put_character(octets, point.value);
    }
  }
}

void TextLayout::put_preformatted(std::string_view text) {
  while (!text.empty() && !full_) {
    const CodePoint point = decode_utf8(text);
    const std::string_view octets = text.substr(0, std::max<std::size_t>(point.octets, 1));
    text.remove_prefix(octets.size());
    if (point.octets == 0) {
      put_character(kReplacementCharacter, 0xFFFD);
    } else if (point.value == '\n') {
      break_line();
    } else if (point.value == '\t' || !is_other_control(point.value)) {
      put_character(octets, point.value);
    }
  }
}

void TextLayout::put_word(std::string_view word) {
  owed_space_ = Space::space;
  bool first = true;
  while (!word.empty() && !full_) {
    const CodePoint point = decode_utf8(word);
    const std::size_t octets = std::max<std::size_t>(point.octets, 1);
    if (first) {
      put_character(word.substr(0, octets), point.value);
    } else {
      append(word.substr(0, octets));
    }
    first = false;
    word.remove_prefix(octets);
  }
  last_ = '>';
}

void TextLayout::begin_block(std::size_t lines) {
  if (cell_ == Cell::empty) return;
  owed_cell_ = {};
  owed_cells_.clear();
  if (out_.empty()) return;
  owed_lines_ = std::max(owed_lines_, lines);
}

void TextLayout::break_line() {
  if (cell_ == Cell::empty) return;
  owed_cell_ = {};
  owed_cells_.clear();
  owed_space_ = Space::none;
  if (!out_.empty()) owed_lines_ = std::min(owed_lines_ + 1, kLineEndsMax);
}

void TextLayout::begin_cell(std::string_view separator) {
  if (out_.empty() || owed_lines_ > 0) return;
  owed_cell_ = separator;
}

void TextLayout::begin_row() {
  cell_ = Cell::row;
  begin_block(1);
}

void TextLayout::begin_counted_cell(std::string_view separators) {
  const bool apart = cell_ == Cell::outside || cell_ == Cell::lines;
  if (cell_ == Cell::line) owed_lines_ = 0;
  if (!apart || owed_lines_ == 0) owed_cells_ += separators;
  cell_ = Cell::empty;
}

}  // namespace todoku::mime
