// SPDX-License-Identifier: Apache-2.0
// What an SMTP server said: code, enhanced status code and text (RFC 5321 section 4.2, RFC 3463).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace todoku {

// class.subject.detail, e.g. 5.1.1.
struct EnhancedStatus {
  std::uint16_t klass = 0;  // 2, 4 or 5
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;

  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const EnhancedStatus&, const EnhancedStatus&) = default;
};

// Reads "x.y.z" at the start of `text` followed by white space or the end, as in a reply line.
[[nodiscard]] std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);

// The server closes the connection, whatever was asked (RFC 5321 section 3.8).
inline constexpr int kServiceClosing = 421;

struct Reply {
  int code = 0;      // 200..599
  std::string text;  // all lines without codes, joined with '\n'; the enhanced code stays in it

  [[nodiscard]] bool positive() const { return code >= 200 && code < 300; }
  [[nodiscard]] bool intermediate() const { return code >= 300 && code < 400; }
  [[nodiscard]] bool temporary() const { return code >= 400 && code < 500; }
  [[nodiscard]] bool permanent() const { return code >= 500 && code < 600; }
  [[nodiscard]] std::optional<EnhancedStatus> enhanced() const {
    return parse_enhanced_status(text);
  }

  friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace todoku
