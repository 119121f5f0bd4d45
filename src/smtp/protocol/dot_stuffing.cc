// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/dot_stuffing.h"

namespace todoku::smtp {
namespace {

constexpr std::string_view kDot = ".";

constexpr bool ends_line(char c) {
  return c == '\n' || c == '\r';
}

// `before`: the octet in front of `piece`.
void append_piece(std::vector<std::string_view>& out, std::string_view piece, char before) {
  std::size_t begin = 0;
  for (std::size_t dot = piece.find('.'); dot != std::string_view::npos;
       dot = piece.find('.', dot + 1)) {
    if (!ends_line(dot == 0 ? before : piece[dot - 1])) continue;
    if (dot > begin) out.push_back(piece.substr(begin, dot - begin));
    out.push_back(kDot);
    begin = dot;
  }
  out.push_back(piece.substr(begin));
}

}  // namespace

void append_stuffed(std::vector<std::string_view>& out, std::span<const std::string_view> pieces,
                    bool look) {
  DotStuffer stuffer;
  stuffer.append(out, pieces, look);
  stuffer.finish(out);
}

void DotStuffer::append(std::vector<std::string_view>& out,
                        std::span<const std::string_view> pieces, bool look) {
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    if (look) {
      append_piece(out, piece, last_);
    } else {
      out.push_back(piece);
    }
    one_before_last_ = piece.size() > 1 ? piece[piece.size() - 2] : last_;
    last_ = piece.back();
  }
}

void DotStuffer::finish(std::vector<std::string_view>& out) const {
  const bool whole_line = last_ == '\n' && one_before_last_ == '\r';
  out.emplace_back(whole_line ? ".\r\n" : "\r\n.\r\n");
}

}  // namespace todoku::smtp
