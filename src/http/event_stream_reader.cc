// SPDX-License-Identifier: Apache-2.0
#include "http/event_stream_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace todoku::http {
namespace {

constexpr std::string_view kStreamMark = "\xEF\xBB\xBF";
constexpr std::int64_t kStreamRetryMaxMs = 24 * 3'600'000;

std::unexpected<Error> too_long() {
  return fail(ErrorKind::limit_exceeded, "a server-sent event is too long");
}

}  // namespace

Result<bool> EventStreamReader::update(std::string_view piece, const Take& take) {
  while (!piece.empty()) {
    // CR LF is one end of a line, wherever it is cut.
    if (std::exchange(after_cr_, false) && piece.front() == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(piece.find_first_of("\r\n"), piece.size());
    if (line_.size() + end > kOctetsMax) return too_long();
    line_ += piece.substr(0, end);
    if (end == piece.size()) return true;
    after_cr_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    std::string_view line = line_;
    if (!std::exchange(has_begun_, true) && line.starts_with(kStreamMark)) {
      line.remove_prefix(kStreamMark.size());
    }
    const auto goes_on = take_line(line, take);
    line_.clear();
    if (!goes_on || !*goes_on) return goes_on;
  }
  return true;
}

Result<bool> EventStreamReader::take_line(std::string_view line, const Take& take) {
  if (!line.empty()) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (line.substr(0, colon) == "data" && data_.size() + value.size() >= kOctetsMax) {
      return too_long();
    }
    take_field(line.substr(0, colon), value);
    return true;
  }
  last_id_ = id_;
  const std::string type = std::exchange(type_, {});
  if (!std::exchange(has_data_, false)) return true;
  const ServerSentEvent event{
      .type = type.empty() ? "message" : type, .data = std::exchange(data_, {}), .id = last_id_};
  return take(event);
}

// A line that begins with a colon is a comment, and has no name.
void EventStreamReader::take_field(std::string_view name, std::string_view value) {
  if (name == "event") {
    type_ = value;
  } else if (name == "data") {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value;
  } else if (name == "id") {
    if (!value.contains('\0')) id_ = value;
  } else if (name == "retry") {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = error == std::errc() && end == value.data() + value.size();
    if (is_number && number >= 0) retry_ = Milliseconds(std::min(number, kStreamRetryMaxMs));
  }
}

void EventStreamReader::begin_anew() {
  line_.clear();
  type_.clear();
  data_.clear();
  id_ = last_id_;
  after_cr_ = has_begun_ = has_data_ = false;
}

}  // namespace todoku::http
