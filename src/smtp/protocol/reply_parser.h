// SPDX-License-Identifier: Apache-2.0
// From a server's octets to replies (RFC 5321 section 4.2).
//
//   reply = *( code "-" [text] CRLF ) code [ SP [text] ] CRLF
//
// Tolerated because real servers do it: bare LF, lines of any length, lines whose codes differ (the
// last line's counts, as Postfix has it), a code without text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mail/reply.h"

namespace todoku::smtp {

class ReplyParser {
 public:
  // All lines of one reply together.
  static constexpr std::size_t kReplyMax = 65'536;

  // Takes octets off the front of `input`, up to the end of the current reply. True: reply() is
  // whole; false: `input` is used up and more is needed. Errors: corrupt (no SMTP reply),
  // limit_exceeded (over kReplyMax octets); after one the parser must not be used again.
  [[nodiscard]] Result<bool> take(std::string_view& input);

  // The last whole reply. Its text is printable UTF-8: control characters and octets that are no
  // UTF-8 are '?', tabs are spaces. Valid until the next take().
  [[nodiscard]] const Reply& reply() const { return reply_; }

  // What has come of a reply whose end has not, for people: "250-mx.example.jp 250-SIZ"; empty if
  // nothing has. Up to kUnfinishedMax octets of it, then "...".
  static constexpr std::size_t kUnfinishedMax = 500;
  [[nodiscard]] std::string unfinished() const;

 private:
  [[nodiscard]] Result<bool> take_line(std::string_view line);

  Reply reply_;
  std::string partial_;     // of a line whose end has not come yet
  std::size_t octets_ = 0;  // of the current reply so far
  std::size_t lines_ = 0;
  bool whole_ = false;  // reply_ is finished; the next octet begins another
};

}  // namespace todoku::smtp
