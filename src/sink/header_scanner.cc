// SPDX-License-Identifier: Apache-2.0
#include "sink/header_scanner.h"

#include "base/bytes.h"

namespace todoku::sink {
namespace {

// The value if `line` is the field `name`.
const char* value_of(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return nullptr;
  if (!equals_ignoring_case(line.substr(0, name.size()), name)) return nullptr;
  return line.data() + name.size() + 1;
}

}  // namespace

void HeaderScanner::reset() {
  line_.clear();
  continued_ = nullptr;
  message_id_.clear();
  other_.clear();
  finished_ = false;
}

void HeaderScanner::scan(std::string_view piece) {
  while (!finished_) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (end == std::string_view::npos) {
      if (line_.size() < kLineOctetsMax) line_ += part.substr(0, kLineOctetsMax - line_.size());
      return;
    }
    piece.remove_prefix(end + 1);
    if (line_.empty()) {
      take_line(part);
    } else {
      if (line_.size() < kLineOctetsMax) line_ += part.substr(0, kLineOctetsMax - line_.size());
      take_line(line_);
      line_.clear();
    }
  }
}

void HeaderScanner::finish() {
  if (!finished_ && !line_.empty()) take_line(line_);
  line_.clear();
  finished_ = true;
}

void HeaderScanner::take_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    finished_ = true;
    return;
  }
  if (line.front() == ' ' || line.front() == '\t') {
    if (continued_ == nullptr || continued_->size() >= kLineOctetsMax) return;
    if (!continued_->empty()) *continued_ += ' ';
    *continued_ += trim(line);
    return;
  }
  continued_ = nullptr;
  const auto take = [&](std::string_view name, std::string& into) {
    if (name.empty() || !into.empty()) return;
    const char* value = value_of(line, name);
    if (value == nullptr) return;
    into = trim({value, static_cast<std::size_t>(line.data() + line.size() - value)});
    continued_ = &into;
  };
  take("Message-ID", message_id_);
  take(other_name_, other_);
}

std::int64_t find_epoch_ms(std::string_view text) {
  constexpr std::size_t digits = 13;
  std::size_t run = 0;
  std::int64_t value = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] >= '0' && text[i] <= '9') {
      value = run < digits ? value * 10 + (text[i] - '0') : value;
      ++run;
      continue;
    }
    if (run == digits) return value;
    run = 0;
    value = 0;
  }
  return 0;
}

}  // namespace todoku::sink
