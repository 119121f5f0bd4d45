// SPDX-License-Identifier: Apache-2.0
// Takes the dots out of what follows DATA and finds its end (RFC 5321 section 4.5.2), as a stream
// and without copying.
//
// Only CRLF begins a line here and only CRLF . CRLF ends the content. A lone CR or LF is an octet
// like any other: treating "LF . LF" or "LF . CRLF" as the end, as some receivers do, lets a sender
// hide a second mail in the first (SMTP smuggling).
#pragma once

#include <cstdint>
#include <string_view>

namespace todoku::smtp {

class DotDecoder {
 public:
  // Takes octets from the front of `input` until there is a piece of content to give, the end is
  // found, or nothing is left. The piece lies in `input`'s memory or is static; empty: none.
  [[nodiscard]] std::string_view next(std::string_view& input);

  // True once the final CRLF . CRLF was taken; what is left in the input are commands again.
  [[nodiscard]] bool finished() const { return state_ == State::finished; }

  void reset() { state_ = State::line_start; }

 private:
  enum class State : std::uint8_t {
    line_start,  // after CRLF or at the very beginning
    dot,         // after a dot at a line's start, held back
    dot_cr,      // after such a dot and a CR, both held back
    text,        // within a line
    cr,          // within a line, the last octet was a CR
    finished,
  };

  [[nodiscard]] std::string_view take_text(std::string_view& input);

  State state_ = State::line_start;
};

}  // namespace todoku::smtp
