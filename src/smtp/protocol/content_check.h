// SPDX-License-Identifier: Apache-2.0
// What a message may hold so that no two receivers read it in different ways: lines that end with
// CR LF, no CR and LF alone (by which a second message is smuggled within the first), no NUL, no
// line without end (RFC 5321 sections 2.3.8 and 4.1.1.4, RFC 5322 section 2.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace todoku::smtp {

class ContentCheck {
 public:
  // `line_octets_max`: without CRLF; 0: no limit.
  explicit ContentCheck(std::size_t line_octets_max) : line_octets_max_(line_octets_max) {}

  // The next octets, after dots were taken out. nullopt: they do; else the text of a reply. From
  // then on it is asked no more.
  [[nodiscard]] std::optional<std::string_view> take(std::string_view piece);
  // After the last of them.
  [[nodiscard]] std::optional<std::string_view> finish() const;
  void reset() {
    after_cr_ = false;
    line_ = 0;
  }

 private:
  const std::size_t line_octets_max_;
  bool after_cr_ = false;
  std::size_t line_ = 0;  // octets of the line so far
};

}  // namespace todoku::smtp
