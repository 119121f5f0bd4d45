// SPDX-License-Identifier: Apache-2.0
// What a mail that comes back says: of whom, what became of the mail to them, and in which words.
// Reports of the standards (RFC 3464, 6533; complaints RFC 5965), and the free text of systems that
// know none, in English and Japanese. What it means is decided as for a reply of our own dialogue
// (feedback/classify).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/attempt.h"
#include "mail/reply.h"

namespace todoku::feedback::parse {

inline constexpr std::size_t kRecipientsMax = 100;

struct ReturnedRecipient {
  enum class Action : std::uint8_t { failed, delayed, delivered };

  std::string address;  // as far as it is told; empty: it is not
  Action action = Action::failed;
  std::string status;  // "5.1.1"; empty: none is told
  // What the receiver said, or the reporting system instead; its code is 0 where neither a code nor
  // a status is told.
  Reply reply;
  Stage stage = Stage::rcpt_to;  // where it was said, as far as that is told
  std::string site;              // whose it is, for rules of one site; empty: not known
};

struct Bounce {
  enum class Kind : std::uint8_t {
    none,          // an ordinary mail
    report,        // of a delivery
    complaint,     // its reader calls it spam, or wants no more of it
    no_spam,       // a complaint is taken back (RFC 6430)
    auth_failure,  // of our authentication there (RFC 6591); nobody has complained
    auto_reply,    // of somebody who is away; the mail arrived
  };
  Kind kind = Kind::none;
  std::vector<ReturnedRecipient> recipients;  // at most kRecipientsMax
};

// Errors: invalid_input, not a mail at all.
[[nodiscard]] Result<Bounce> read_bounce(std::string_view octets);

}  // namespace todoku::feedback::parse
