// SPDX-License-Identifier: Apache-2.0
// Whom a smarthost refused, read from the dialogue as libcurl shows it: by itself it only says
// whether all were. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace todoku::alarms {

struct RefusedRecipient {
  std::string address;
  std::string reply;  // "550 5.1.1 nobody of that name", printable, one line, cut
  friend bool operator==(const RefusedRecipient&, const RefusedRecipient&) = default;
};
// "ops@example.com: 550 5.1.1 nobody"
[[nodiscard]] std::string to_string(const RefusedRecipient& refused);

class RecipientReplies {
 public:
  // A command, with its line break. The next one comes when the reply to this one is whole.
  void sent(std::string_view command);
  // Octets of replies (RFC 5321 section 4.2), in any pieces.
  void received(std::string_view octets);

  [[nodiscard]] std::vector<RefusedRecipient> take() { return std::move(refused_); }

 private:
  void line(std::string_view text);

  std::string address_;  // whose RCPT is not answered; empty: none is
  std::string reply_;    // its lines so far
  std::string line_;     // a part of one
  std::vector<RefusedRecipient> refused_;
};

}  // namespace todoku::alarms
