// SPDX-License-Identifier: Apache-2.0
// What must be known of the lines of a raw message before it goes on, whatever its structure is.
// Everything that takes or sends one whole looks at its lines here, so that all call the same
// things a line (RFC 5321 section 2.3.8): what others end elsewhere is how SMTP is smuggled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace todoku::mime {

// RFC 5321 section 4.5.3.1.6, without the line end.
inline constexpr std::size_t kWireLineOctetsMax = 998;

class LineScan {
 public:
  // The next octets, cut anywhere. Error invalid_input, a clause: a NUL, or a CR or LF that is not
  // half of a CRLF. The same wherever the octets are cut.
  [[nodiscard]] Result<void> update(std::string_view slice);
  // After the last of them. Error invalid_input: they end in the middle of a CRLF. A last line
  // without its end is fine.
  [[nodiscard]] Result<void> finish() const;

  [[nodiscard]] std::uint64_t octets() const { return octets_; }
  // Nothing of a line has come.
  [[nodiscard]] bool is_at_line_start() const { return line_octets_ == 0 && !after_cr_; }
  [[nodiscard]] bool is_eight_bit() const { return is_eight_bit_; }
  // Some line begins with ".".
  [[nodiscard]] bool has_leading_dot() const { return has_leading_dot_; }
  // Some line is longer than kWireLineOctetsMax.
  [[nodiscard]] bool has_long_line() const { return has_long_line_; }

 private:
  std::uint64_t octets_ = 0;
  std::uint64_t line_octets_ = 0;  // of the line so far
  bool after_cr_ = false;
  bool is_eight_bit_ = false;
  bool has_leading_dot_ = false;
  bool has_long_line_ = false;
};

}  // namespace todoku::mime
