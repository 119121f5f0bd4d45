// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/server_content_check.h"

#include <algorithm>

namespace todoku::smtp {
namespace {

// The faults of one piece of a line, of which the first counts.
struct FirstFault {
  std::size_t at = std::string_view::npos;
  ContentFault fault = ContentFault::none;

  void offer(std::size_t where, ContentFault what) {
    if (where >= at) return;
    at = where;
    fault = what;
  }
};

}  // namespace

ContentFault ContentCheck::push(std::string_view piece) {
  while (!piece.empty() && fault_ == ContentFault::none) {
    const std::size_t end = piece.find('\n');
    const bool ends_line = end != std::string_view::npos;
    const std::string_view text = piece.substr(0, end);
    piece.remove_prefix(ends_line ? end + 1 : piece.size());
    fault_ = look_at(text, ends_line);
  }
  return fault_;
}

ContentFault ContentCheck::finish() {
  if (fault_ == ContentFault::none && options_.line_ends && after_cr_) {
    fault_ = ContentFault::bare_cr;
  }
  return fault_;
}

// `text`: what has come of a line without its LF.
ContentFault ContentCheck::look_at(std::string_view text, bool ends_line) {
  FirstFault first;
  if (options_.line_ends) {
    if (after_cr_ && !text.empty()) return ContentFault::bare_cr;
    first.offer(text.find('\0'), ContentFault::nul);
    const std::size_t cr = text.find('\r');
    if (cr != std::string_view::npos && cr + 1 < text.size()) {
      first.offer(cr, ContentFault::bare_cr);
    }
    const bool after_cr = text.empty() ? after_cr_ : text.ends_with('\r');
    if (ends_line && !after_cr) first.offer(text.size(), ContentFault::bare_lf);
  }
  if (options_.line_octets_max != 0) {
    // One octet more may be the CR of the line's end, which is no part of it.
    const std::size_t room =
        options_.line_octets_max - std::min(options_.line_octets_max, line_octets_);
    const bool cr_is_in = line_octets_ > options_.line_octets_max;
    const std::size_t beyond =
        !cr_is_in && text.substr(std::min(room, text.size())).starts_with('\r') ? room + 1 : room;
    if (beyond < text.size()) first.offer(beyond, ContentFault::long_line);
  }
  after_cr_ = !ends_line && (text.empty() ? after_cr_ : text.ends_with('\r'));
  line_octets_ = ends_line ? 0 : line_octets_ + text.size();
  return first.fault;
}

}  // namespace todoku::smtp
