// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/reply_parser.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/printable.h"

namespace todoku::smtp {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What a line that is none looks like in an error: short and printable.
std::string excerpt(std::string_view line) {
  std::string shown;
  append_printable(shown, line.substr(0, 60));
  return shown;
}

}  // namespace

Result<bool> ReplyParser::take(std::string_view& input) {
  if (whole_) {
    whole_ = false;
    octets_ = 0;
    lines_ = 0;
    reply_.text.clear();
  }
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    const std::string_view piece = input.substr(0, end == std::string_view::npos ? end : end + 1);
    octets_ += piece.size();
    if (octets_ > kReplyMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("a reply of more than {} octets", kReplyMax));
    }
    input.remove_prefix(piece.size());
    if (end == std::string_view::npos) {
      partial_.append(piece);
      return false;
    }
    Result<bool> last = false;
    if (partial_.empty()) {
      last = take_line(piece);
    } else {
      partial_.append(piece);
      last = take_line(partial_);
      partial_.clear();
    }
    if (!last || *last) {
      whole_ = true;
      return last;
    }
  }
  return false;
}

std::string ReplyParser::unfinished() const {
  std::string shown;
  if (whole_) return shown;
  std::string_view lines = reply_.text;
  for (std::size_t i = 0; i < lines_ && shown.size() <= kUnfinishedMax; ++i) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    shown += fmt::format("{}{}-{}", i == 0 ? "" : " ", reply_.code, lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  if (!partial_.empty() && shown.size() <= kUnfinishedMax) {
    if (!shown.empty()) shown += ' ';
    append_printable(shown, std::string_view(partial_).substr(0, kUnfinishedMax));
  }
  if (shown.size() <= kUnfinishedMax) return shown;
  std::size_t end = kUnfinishedMax;
  while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0U) == 0x80) --end;
  shown.resize(end);
  return shown + "...";
}

Result<bool> ReplyParser::take_line(std::string_view line) {
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  // RFC 5321 section 4.2.1: the first digit is 2 to 5; replies of 1xx do not exist in SMTP.
  const bool coded = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
                     is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
  if (!coded) {
    return fail(ErrorKind::corrupt, fmt::format("'{}', which is no SMTP reply", excerpt(line)));
  }
  reply_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (lines_++ > 0) reply_.text += '\n';
  append_printable(reply_.text, line.size() > 4 ? line.substr(4) : std::string_view());
  return line.size() == 3 || line[3] == ' ';
}

}  // namespace todoku::smtp
