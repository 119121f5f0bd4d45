// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/content_check.h"

#include <cstring>
#include <utility>

namespace todoku::smtp {
namespace {

constexpr std::string_view kBareCr = "5.6.0 The message has a CR that no LF follows";
constexpr std::string_view kBareLf = "5.6.0 The message has an LF that no CR precedes";
constexpr std::string_view kNul = "5.6.0 The message has a NUL";
constexpr std::string_view kLongLine = "5.6.0 The message has a line that is too long";

}  // namespace

std::optional<std::string_view> ContentCheck::take(std::string_view piece) {
  if (piece.empty()) return std::nullopt;
  if (std::memchr(piece.data(), '\0', piece.size()) != nullptr) return kNul;
  if (std::exchange(after_cr_, false)) {
    if (piece.front() != '\n') return kBareCr;
    line_ = 0;
    piece.remove_prefix(1);
  }
  while (!piece.empty()) {
    const std::size_t end = piece.find_first_of("\r\n");
    const std::size_t size = end == std::string_view::npos ? piece.size() : end;
    line_ += size;
    if (line_octets_max_ != 0 && line_ > line_octets_max_) return kLongLine;
    if (end == std::string_view::npos) return std::nullopt;
    if (piece[end] == '\n') return kBareLf;
    if (end + 1 == piece.size()) {
      after_cr_ = true;
      return std::nullopt;
    }
    if (piece[end + 1] != '\n') return kBareCr;
    line_ = 0;
    piece.remove_prefix(end + 2);
  }
  return std::nullopt;
}

std::optional<std::string_view> ContentCheck::finish() const {
  return after_cr_ ? std::optional(kBareCr) : std::nullopt;
}

}  // namespace todoku::smtp
