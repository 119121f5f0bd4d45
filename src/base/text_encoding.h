// SPDX-License-Identifier: Apache-2.0
// What a text file that is not UTF-8 may be: the few things that people really have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bilingual.h"

namespace todoku {

// Of text that changes its character set as it goes (ISO/IEC 2022; ISO-2022-JP: RFC 1468,
// ISO-2022-KR: RFC 1557), by characters that are controls of UTF-8; empty: it does not. Such text
// is valid UTF-8, and would go into mails as it stands.
[[nodiscard]] Sentence iso_2022_in(std::string_view octets);

// What a file that is no UTF-8 CSV may be instead, with what to do about it, of its first octets or
// of a row's; empty if there is no telling.
[[nodiscard]] Sentence guessed_encoding(std::string_view octets);

// What text that is none of UTF-8 may be, with what to do about it: for text of any kind that is to
// be sent as it stands, HTML too. Empty: it can be.
[[nodiscard]] Sentence foreign_encoding(std::string_view octets);

// Looks through a whole file, pushed in any slices, for what no UTF-8 CSV has. Of its octets it
// holds a line, and no more of that than is looked at in one.
class EncodingCheck {
 public:
  void push(std::string_view octets);
  void finish();
  // What was found first: a clause, with the line if it is not the whole file; nullopt: nothing.
  [[nodiscard]] const std::optional<BilingualText>& found() const { return found_; }

 private:
  void begin();
  void look_at(std::string_view octets);
  void look_at_line(std::string_view line);

  std::string pending_;
  bool begun_ = false;  // its first octets have been looked at
  std::uint64_t line_ = 1;
  std::optional<BilingualText> found_;
};

}  // namespace todoku
