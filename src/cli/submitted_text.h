// SPDX-License-Identifier: Apache-2.0
// A message as programs write it to a sendmail becomes one as SMTP carries it. Pure.
//
//   - lines end with CRLF: LF becomes it, CRs before an LF are part of the line's end; a CR
//     anywhere else stays, for the relay to refuse
//   - a line with a dot alone ends the message, unless the caller does not want it
//   - a first line "From ", which is mbox's and no field, goes
//   - the last line gets its end
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::cli {

class SubmittedText {
 public:
  explicit SubmittedText(bool dot_ends) : dot_ends_(dot_ends) {}

  // The next octets, cut anywhere; what goes on is appended to `out`. False: the message has ended,
  // and nothing more is looked at.
  bool take(std::string_view octets, std::string& out);
  // After the last of them.
  void finish(std::string& out);

 private:
  enum class Part : std::uint8_t { opening, mbox_line, text, ended };
  enum class Line : std::uint8_t { begin, dot, inside };

  void take_opening(std::string_view& octets, std::string& out);
  void take_text(std::string_view octets, std::string& out);
  void end_line(std::string& out);
  void release(std::string& out);

  const bool dot_ends_;
  Part part_ = Part::opening;
  std::string opening_;  // may be the begin of "From "
  Line line_ = Line::begin;
  std::size_t crs_ = 0;  // not given out yet: a line may end with them
};

// Whether a message, by its first line, has a header section, be it empty; one that has none gets
// a blank line before it from whoever sends it. Of nothing: true.
[[nodiscard]] bool has_header(std::string_view lines);

// The header section of a message that comes by and by, for who asks to whom it goes.
class SubmittedHead {
 public:
  static constexpr std::size_t kOctetsMax = std::size_t{1} << 20U;
  static constexpr std::size_t kRecipientsMax = 100'000;

  // Lines with CRLF, cut anywhere.
  void take(std::string_view octets);

  [[nodiscard]] bool has(std::string_view name) const;
  // Those of To, Cc and Bcc; of a message that is sent anew those of the newest Resent-To, -Cc and
  // -Bcc (RFC 5322 section 3.6.6), as addresses of the wire or without their domain ("root").
  // Errors: invalid_input, a sentence that names the field; limit_exceeded: there are too many, or
  // the header section is larger than kOctetsMax.
  [[nodiscard]] Result<std::vector<std::string>> recipients() const;

 private:
  struct Field {
    std::string name;  // lower case
    std::string body;  // with its line ends
  };

  void take_line(std::string_view line);

  std::vector<Field> fields_;
  std::string line_;  // so far
  std::size_t octets_ = 0;
  bool ended_ = false;
  bool too_large_ = false;
};

// The addresses of a list as "a@example.jp, Taro <b@example.jp>, root". Errors: as recipients().
[[nodiscard]] Result<std::vector<std::string>> listed_addresses(std::string_view list);

}  // namespace todoku::cli
