// SPDX-License-Identifier: Apache-2.0
// Looks at the content of a message as it comes, in any pieces, for what could be read as two
// messages by the next server, or cannot be sent on (RFC 5321 sections 2.3.8 and 4.5.2): CR and LF
// that do not stand together, NUL, lines that are too long. It judges what the decoder of dots
// gives and what BDAT brings alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace todoku::smtp {

enum class ContentFault : std::uint8_t { none, bare_lf, bare_cr, nul, long_line };

class ContentCheck {
 public:
  struct Options {
    bool line_ends = false;           // CR, LF and NUL are looked for
    std::size_t line_octets_max = 0;  // without the CRLF; 0: no limit
  };

  explicit ContentCheck(Options options) : options_(options) {}

  // The first fault so far, whatever comes after it. Which of several in one line is found first
  // does not depend on the pieces.
  [[nodiscard]] ContentFault push(std::string_view piece);
  // At the end of the message: a CR may have been the last octet.
  [[nodiscard]] ContentFault finish();

  void reset() { *this = ContentCheck(options_); }

 private:
  [[nodiscard]] ContentFault look_at(std::string_view part, bool ends_line);

  Options options_;
  ContentFault fault_ = ContentFault::none;
  bool after_cr_ = false;
  std::size_t line_octets_ = 0;  // of the line that is under way, with a CR that may be its end
};

}  // namespace todoku::smtp
