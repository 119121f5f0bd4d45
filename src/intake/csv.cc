// SPDX-License-Identifier: Apache-2.0
#include "intake/csv.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace todoku::intake {
namespace {
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
}

Error CsvReader::bad_row(std::string_view what) const {
  return {ErrorKind::invalid_input, fmt::format("row {}: {}", row_number_, what)};
}

void CsvReader::end_field() {
  row_.fields.push_back(std::move(field_));
  field_.clear();
  state_ = State::field_start;
}

Result<void> CsvReader::end_row(const OnRow& on_row) {
  end_field();
  row_.number = row_number_++;
  row_octets_ = 0;
  const bool blank = row_.fields.size() == 1 && row_.fields.front().empty();
  Result<void> handled;
  if (!blank) handled = on_row(row_);
  row_.fields.clear();
  return handled;
}

Result<void> CsvReader::step(char c, const OnRow& on_row) {
  if (state_ == State::carriage_return) {
    state_ = State::field_start;
    if (c == '\n') return {};
  }
  if (++row_octets_ > row_octets_max_) {
    return fail(bad_row(fmt::format("is longer than {} bytes", row_octets_max_)));
  }
  if (c == '\0') return fail(bad_row("holds a NUL character"));
  if (state_ == State::quoted) {
    if (c == '"') {
      state_ = State::quote_seen;
    } else {
      field_ += c;
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
  if (c == ',') {
    end_field();
    return {};
  }
  if (c == '\n' || c == '\r') {
    auto handled = end_row(on_row);
    if (c == '\r') state_ = State::carriage_return;
    return handled;
  }
  if (state_ == State::quote_seen) return fail(bad_row("has text after a closing quotation mark"));
  state_ = State::plain;
  field_ += c;
  return {};
}

Result<void> CsvReader::push(std::string_view octets, const OnRow& on_row) {
  while (!started_ && !octets.empty()) {
    mark_ += octets.front();
    octets.remove_prefix(1);
    if (mark_ == kByteOrderMark) {
      started_ = true;
    } else if (!kByteOrderMark.starts_with(mark_)) {
      started_ = true;
      for (const char c : mark_) {
        if (auto stepped = step(c, on_row); !stepped) return stepped;
      }
    }
  }
  for (const char c : octets) {
    if (auto stepped = step(c, on_row); !stepped) return stepped;
  }
  return {};
}

Result<void> CsvReader::finish(const OnRow& on_row) {
  if (!started_ && !mark_.empty()) {
    started_ = true;
    for (const char c : mark_) {
      if (auto stepped = step(c, on_row); !stepped) return stepped;
    }
  }
  if (state_ == State::quoted) return fail(bad_row("has no closing quotation mark"));
  if (row_octets_ == 0) return {};
  return end_row(on_row);
}

void append_csv_field(std::string& out, std::string_view field) {
  out += '"';
  while (!field.empty()) {
    const std::size_t octets = decode_utf8(field).octets;
    if (field.front() == '"') out += '"';
    out += octets == 0 ? kReplacementCharacter : field.substr(0, octets);
    field.remove_prefix(std::max<std::size_t>(octets, 1));
  }
  out += '"';
}

}  // namespace todoku::intake
