// SPDX-License-Identifier: Apache-2.0
// Transparency of DATA, client side (RFC 5321 section 4.5.2): a dot at the start of a line is
// doubled, and a line with nothing but a dot ends the message.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace todoku::smtp {

// Appends to `out` views that together are `pieces` as they go on the wire after DATA, with the
// end of the message. Nothing is copied: where a dot is to be doubled the piece is cut in two and a
// view of a dot put between. `look` false: no line begins with a dot.
//
// A bare CR or LF counts as a line's end as well: some servers take it for one, and a dot after
// it could end the message early and let the rest in as commands (CVE-2023-51764 and relatives).
void append_stuffed(std::vector<std::string_view>& out, std::span<const std::string_view> pieces,
                    bool look);

// The same for a message that comes in slices, cut anywhere.
class DotStuffer {
 public:
  void append(std::vector<std::string_view>& out, std::span<const std::string_view> pieces,
              bool look);
  // The end of the message.
  void finish(std::vector<std::string_view>& out) const;

 private:
  // The message begins at the start of a line.
  char last_ = '\n';
  char one_before_last_ = '\r';
};

}  // namespace todoku::smtp
