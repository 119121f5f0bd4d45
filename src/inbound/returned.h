// SPDX-License-Identifier: Apache-2.0
// What a mail that came to a return path says of the one recipient whose return path it is. The
// path itself says whom it is about, by a seal that nobody can forge; the mail only says what
// happened, as far as it can be read.
#pragma once

#include <cstdint>
#include <string_view>

#include "feedback/parse/bounce.h"
#include "mail/attempt.h"

namespace todoku::inbound {

struct Returned {
  enum class Kind : std::uint8_t {
    bounced,         // it was taken and could not be delivered: `outcome`
    complained,      // its reader calls it spam, or wants no more of it
    delayed,         // is still being tried by somebody: `outcome`, which changes nothing
    delivered,       // arrived further on: changes nothing
    auto_reply,      // of somebody who is away: changes nothing
    no_spam,         // a complaint is taken back: changes nothing
    auth_failure,    // of our authentication there: changes nothing
    not_understood,  // changes nothing
  };
  Kind kind = Kind::not_understood;
  // Of `bounced` and `delayed`: a fact, and no attempt of ours.
  Outcome outcome;
  // It speaks against the address itself. Never where it names another address: somebody may have
  // forwarded the mail, and only the address behind is at fault.
  bool against_address = false;
};
[[nodiscard]] std::string_view to_string(Returned::Kind kind);

// `address`: to which the mail was sent.
[[nodiscard]] Returned returned_of(const feedback::parse::Bounce& bounce, std::string_view address);

}  // namespace todoku::inbound
