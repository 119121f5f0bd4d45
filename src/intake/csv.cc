// SPDX-License-Identifier: Apache-2.0
#include "intake/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"

namespace todoku::intake {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kNoEnd = "has no closing quotation mark";

// What spreadsheets take for the begin of a formula; tab and carriage return are skipped by some
// before they look.
bool begins_formula(std::string_view field) {
  return !field.empty() && std::string_view("=+-@\t\r").contains(field.front());
}

}  // namespace

void CsvReader::begin_row() {
  row_.fields.clear();
  field_.clear();
  octets_.clear();
  first_line_end_ = 0;
  lines_ = 1;
}

void CsvReader::end_field() {
  row_.fields.push_back(std::move(field_));
  field_.clear();
  state_ = State::field_start;
}

// Spreadsheets write `sep=;` before the header to say what stands between fields.
bool CsvReader::takes_separator() {
  if (row_number_ != 1 || !row_.fields.front().starts_with("sep=")) return false;
  const bool is_comma = row_.fields.size() == 2 && row_.fields[0] == "sep=";
  if (is_comma && row_.fields[1].empty()) return true;
  if (row_.fields.size() != 1 || row_.fields[0].size() != 5) return false;
  const char separator = row_.fields[0].back();
  if (separator != ';' && separator != '\t' && separator != '|') return false;
  separator_ = separator;
  return true;
}

Result<void> CsvReader::end_row(const Rows& rows) {
  end_field();
  row_.number = row_number_;
  const bool blank = std::ranges::all_of(row_.fields, &std::string::empty);
  Result<void> handled;
  if (!blank && !takes_separator()) handled = rows.good(row_);
  ++row_number_;
  begin_row();
  return handled;
}

Result<void> CsvReader::refuse_row(std::string reason, const Rows& rows) {
  const bool spans_lines = first_line_end_ > 0;
  std::string_view line = octets_;
  if (spans_lines) line = line.substr(0, first_line_end_);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  auto handled = rows.bad({.number = row_number_,
                           .column = row_.fields.size() + 1,
                           .reason = std::move(reason),
                           .octets = line});
  ++row_number_;
  if (spans_lines) {
    again_.erase(0, again_at_);
    again_at_ = 0;
    again_.insert(0, octets_, first_line_end_);
    state_ = State::field_start;
  } else if (octets_.ends_with('\n')) {
    state_ = State::field_start;
  } else {
    state_ = octets_.ends_with('\r') ? State::carriage_return : State::skipping;
  }
  begin_row();
  return handled;
}

Result<void> CsvReader::step(char c, const Rows& rows) {
  if (state_ == State::carriage_return) {
    state_ = State::field_start;
    if (c == '\n') return {};
  }
  const bool ends_line = c == '\n' || c == '\r';
  if (state_ == State::skipping) {
    if (ends_line) state_ = c == '\r' ? State::carriage_return : State::field_start;
    return {};
  }
  octets_ += c;
  const bool ends_row = ends_line && state_ != State::quoted;
  if (octets_.size() > limits_.row_octets_max && !ends_row) {
    return refuse_row(fmt::format("is longer than {} bytes", limits_.row_octets_max), rows);
  }
  if (c == '\0') return refuse_row("holds a NUL character", rows);
  if (state_ == State::quoted) {
    if (c == '"') {
      state_ = State::quote_seen;
      return {};
    }
    field_ += c;
    if (!ends_line) return {};
    // A line feed after a carriage return is the same line end, and belongs to the first line.
    const bool same_end = c == '\n' && octets_.ends_with("\r\n");
    if (first_line_end_ == 0 || (same_end && first_line_end_ == octets_.size() - 1)) {
      first_line_end_ = octets_.size();
    }
    if (!same_end && ++lines_ > limits_.row_lines_max) {
      return refuse_row(fmt::format("{} within {} lines", kNoEnd, limits_.row_lines_max), rows);
    }
    return {};
  }
  if (c == '"') {
    if (state_ == State::quote_seen) field_ += '"';
    if (state_ == State::plain) {
      field_ += '"';  // a quotation mark inside an unquoted field is text
    } else {
      state_ = State::quoted;
    }
    return {};
  }
  if (c == separator_) {
    end_field();
    return {};
  }
  if (ends_line) {
    auto handled = end_row(rows);
    if (c == '\r') state_ = State::carriage_return;
    return handled;
  }
  if (state_ == State::quote_seen) {
    return refuse_row("has text after a closing quotation mark", rows);
  }
  state_ = State::plain;
  field_ += c;
  return {};
}

Result<void> CsvReader::feed(std::string_view octets, const Rows& rows) {
  while (true) {
    Result<void> stepped;
    if (again_at_ < again_.size()) {
      stepped = step(again_[again_at_++], rows);
    } else if (!octets.empty()) {
      if (!again_.empty()) {
        again_.clear();
        again_at_ = 0;
      }
      const char c = octets.front();
      octets.remove_prefix(1);
      stepped = step(c, rows);
    } else {
      return {};
    }
    if (!stepped) return stepped;
  }
}

Result<void> CsvReader::push(std::string_view octets, const Rows& rows) {
  while (!started_ && !octets.empty()) {
    mark_ += octets.front();
    octets.remove_prefix(1);
    if (mark_ == kByteOrderMark) {
      started_ = true;
    } else if (!kByteOrderMark.starts_with(mark_)) {
      started_ = true;
      if (auto fed = feed(mark_, rows); !fed) return fed;
    }
  }
  return feed(octets, rows);
}

Result<void> CsvReader::finish(const Rows& rows) {
  if (!std::exchange(started_, true)) {
    if (auto fed = feed(mark_, rows); !fed) return fed;
  }
  // Each round ends a row at least.
  while (state_ == State::quoted) {
    if (auto refused = refuse_row(std::string(kNoEnd), rows); !refused) return refused;
    if (auto fed = feed({}, rows); !fed) return fed;
  }
  if (octets_.empty()) return {};
  return end_row(rows);
}

void append_csv_field(std::string& out, std::string_view field) {
  out += '"';
  if (begins_formula(field)) out += '\'';
  while (!field.empty()) {
    const std::size_t octets = decode_utf8(field).octets;
    if (field.front() == '"') out += '"';
    out += octets == 0 ? kReplacementCharacter : field.substr(0, octets);
    field.remove_prefix(std::max<std::size_t>(octets, 1));
  }
  out += '"';
}

}  // namespace todoku::intake
