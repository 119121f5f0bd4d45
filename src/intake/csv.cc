// SPDX-License-Identifier: Apache-2.0
#include "intake/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"

namespace todoku::intake {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr Sentence kNoEnd = {"has no closing quotation mark", "引用符が閉じられていません"};
// Kept of each line of a row that is refused.
constexpr std::size_t kShownOctets = 4'096;

// What spreadsheets take for the begin of a formula; tab and carriage return are skipped by some
// before they look.
bool begins_formula(std::string_view field) {
  return !field.empty() && std::string_view("=+-@\t\r").contains(field.front());
}

// Whether an apostrophe is put before it: of a formula, whatever apostrophes it has already, so
// that each way back takes off one.
bool takes_apostrophe(std::string_view field) {
  return begins_formula(field.substr(std::min(field.find_first_not_of('\''), field.size())));
}

}  // namespace

void CsvReader::begin_row() {
  row_.fields.clear();
  field_.clear();
  octets_.clear();
  line_ends_ = 0;
  refused_ = false;
}

void CsvReader::begin_anew() {
  state_ = State::field_start;
  begin_row();
}

void CsvReader::end_field() {
  row_.fields.push_back(std::move(field_));
  field_.clear();
}

bool CsvReader::decides(char c) const {
  return !decided_ && !refused_ && state_ != State::quoted && (c == ',' || c == ';' || c == '\t');
}

// Spreadsheets write `sep=;` before the header to say what stands between fields. Where it is one
// of those that are looked for, it has parted this row, too.
bool CsvReader::takes_separator() {
  if (row_number_ != 1 || !row_.fields.front().starts_with("sep=")) return false;
  const bool is_parted = row_.fields.size() == 2 && row_.fields[0] == "sep=";
  if (is_parted && row_.fields[1].empty()) return true;
  if (row_.fields.size() != 1 || row_.fields[0] != "sep=|") return false;
  separator_ = '|';
  return true;
}

Result<void> CsvReader::end_row(const Rows& rows) {
  end_field();
  row_.number = row_number_;
  row_.line = line_number_ - line_ends_;
  const bool blank = std::ranges::all_of(row_.fields, &std::string::empty);
  if (!blank) decided_ = true;
  Result<void> handled;
  if (!blank && !takes_separator()) handled = rows.good(row_);
  ++row_number_;
  ++line_number_;
  begin_row();
  return handled;
}

// Tells the lines that there are of it so far, and keeps what is there of the last one.
Result<void> CsvReader::refuse_row(BilingualText reason, const Rows& rows) {
  const std::string kept = std::exchange(octets_, {});
  const std::string_view octets = kept;
  refused_ = true;
  decided_ = true;
  refused_row_ = row_number_;
  refused_line_ = line_number_ -= line_ends_;
  told_ = true;  // even if its end is still to come
  std::size_t end = octets.find_first_of("\r\n");
  auto handled = rows.bad({.number = row_number_,
                           .line = line_number_,
                           .column = row_.fields.size() + 1,
                           .reason = std::move(reason),
                           .octets = octets.substr(0, end)});
  ++row_number_;
  while (handled && end != std::string_view::npos) {
    const bool two = octets[end] == '\r' && octets.substr(end + 1).starts_with('\n');
    const std::size_t begin = end + (two ? 2 : 1);
    ++line_number_;
    told_ = false;
    end = octets.find_first_of("\r\n", begin);
    const std::string_view line = octets.substr(begin, end - begin);
    if (end == std::string_view::npos) {
      octets_ = line.substr(0, kShownOctets);
    } else {
      handled = refuse_further_line(line, rows);
    }
  }
  return handled;
}

Result<void> CsvReader::refuse_further_line(std::string_view line, const Rows& rows) {
  const std::uint64_t number = row_number_++;
  if (line.empty()) return {};
  return rows.bad(
      {.number = number,
       .line = line_number_,
       .column = 0,
       .reason = {fmt::format("lies inside a quoted field that began in row {} (line {})",
                              refused_row_, refused_line_),
                  fmt::format("引用符で囲まれた値の途中です ({}行目、ファイルの{}行目から)",
                              refused_row_, refused_line_)},
       .octets = line});
}

// The rest of a row that is refused.
Result<void> CsvReader::pass_over(char c, bool ends_line, const Rows& rows) {
  if (!ends_line) {
    if (octets_.size() < kShownOctets) octets_ += c;
    return {};
  }
  Result<void> handled;
  if (!std::exchange(told_, false)) handled = refuse_further_line(octets_, rows);
  ++line_number_;
  octets_.clear();
  if (++line_ends_ >= limits_.row_lines_max || state_ != State::quoted) begin_anew();
  return handled;
}

CsvReader::State CsvReader::after(char c) const {
  if (state_ == State::quoted) return c == '"' ? State::quote_seen : State::quoted;
  if (c == separator_ || c == '\n' || c == '\r') return State::field_start;
  // A quotation mark inside an unquoted field is text.
  return c == '"' && state_ != State::plain ? State::quoted : State::plain;
}

Result<void> CsvReader::step(char c, const Rows& rows) {
  // A line feed after a carriage return is the same line end, and text only where that is.
  const bool second_half = c == '\n' && after_return_;
  after_return_ = c == '\r';
  if (second_half && (refused_ || state_ != State::quoted)) return {};
  if (decides(c)) {
    separator_ = c;
    decided_ = true;
  }
  const State before = std::exchange(state_, after(c));
  const bool ends_line = (c == '\n' || c == '\r') && !second_half;
  if (refused_) return pass_over(c, ends_line, rows);
  octets_ += c;
  if (ends_line && before != State::quoted) return end_row(rows);
  if (ends_line) {
    ++line_number_;
    ++line_ends_;
  }
  return take_character(c, before, rows);
}

Result<void> CsvReader::take_character(char c, State before, const Rows& rows) {
  if (octets_.size() > limits_.row_octets_max) {
    return refuse_row({fmt::format("is longer than {} bytes", limits_.row_octets_max),
                       fmt::format("{}バイトを超えています", limits_.row_octets_max)},
                      rows);
  }
  if (c == '\0') return refuse_row({"holds a NUL character", "NUL文字があります"}, rows);
  if (line_ends_ >= limits_.row_lines_max) {
    auto handled = refuse_row({fmt::format("{} within {} lines", kNoEnd.en, limits_.row_lines_max),
                               fmt::format("{}行以内に{}", limits_.row_lines_max, kNoEnd.ja)},
                              rows);
    begin_anew();
    return handled;
  }
  if (before == State::quote_seen && state_ == State::plain) {
    return refuse_row({"has text after a closing quotation mark", "閉じ引用符の後に文字があります"},
                      rows);
  }
  if (state_ == State::field_start) {
    end_field();
    return {};
  }
  // RFC 4180 section 2: spaces are part of a field, so this one is not quoted, and the separators
  // in it would part it.
  if (c == '"' && state_ == State::plain && !field_.empty() &&
      field_.find_first_not_of(" \t") == std::string::npos) {
    return refuse_row({"has a space before an opening quotation mark; take the space away",
                       "開始引用符の前に空白があります。空白を取り除いてください"},
                      rows);
  }
  const bool is_mark = c == '"' && (before == State::quoted || before == State::field_start);
  if (!is_mark) field_ += c;
  return {};
}

// What step() would take one by one, and nothing that ends or begins anything: most of a file.
std::size_t CsvReader::take_text(std::string_view octets) {
  if (!decided_ || refused_ || state_ == State::quote_seen) return 0;
  const bool quoted = state_ == State::quoted;
  const auto special = [&](char c) {
    return c == '"' || c == '\n' || c == '\r' || c == '\0' || (c == separator_ && !quoted);
  };
  const std::size_t room =
      limits_.row_octets_max - std::min(octets_.size(), limits_.row_octets_max);
  octets = octets.substr(0, room);
  octets = octets.substr(
      0, static_cast<std::size_t>(std::ranges::find_if(octets, special) - octets.begin()));
  if (octets.empty()) return 0;
  if (!quoted) state_ = State::plain;
  after_return_ = false;
  octets_ += octets;
  field_ += octets;
  return octets.size();
}

Result<void> CsvReader::feed(std::string_view octets, const Rows& rows) {
  while (!octets.empty()) {
    std::size_t taken = take_text(octets);
    if (taken == 0) {
      if (auto stepped = step(octets.front(), rows); !stepped) return stepped;
      taken = 1;
    }
    octets.remove_prefix(taken);
  }
  return {};
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
  if (state_ == State::quoted && !refused_) {
    if (auto refused = refuse_row({std::string(kNoEnd.en), std::string(kNoEnd.ja)}, rows); !refused)
      return refused;
  }
  if (refused_) return told_ ? Result<void>{} : refuse_further_line(octets_, rows);
  if (octets_.empty()) return {};
  return end_row(rows);
}

void append_csv_field(std::string& out, std::string_view field) {
  out += '"';
  if (takes_apostrophe(field)) out += '\'';
  while (!field.empty()) {
    const std::size_t octets = decode_utf8(field).octets;
    if (field.front() == '"') out += '"';
    out += octets == 0 ? kReplacementCharacter : field.substr(0, octets);
    field.remove_prefix(std::max<std::size_t>(octets, 1));
  }
  out += '"';
}

std::string_view read_back_csv_field(std::string_view field) {
  const bool marked = field.starts_with('\'') && takes_apostrophe(field);
  return marked ? field.substr(1) : field;
}

}  // namespace todoku::intake
