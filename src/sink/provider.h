// SPDX-License-Identifier: Apache-2.0
// The words in which known receivers refuse, so that bounce rules and people meet what they will
// meet outside. Shortened to what classification goes by: code, enhanced code, key words.
#pragma once

#include <cstdint>
#include <string_view>

#include "mail/reply.h"
#include "sink/options.h"

namespace todoku::sink {

// What a text may mention.
struct Mentioned {
  std::string_view address;   // the recipient, may be empty
  std::string_view client;    // the client's IP address
  std::string_view hostname;  // the receiver's
};

// The provider's reply; where it has none of its own, a Postfix-like one. `draw` chooses among
// several for any_temporary and any_permanent.
[[nodiscard]] Reply provider_reply(Provider provider, Excuse excuse, const Mentioned& mentioned,
                                   std::uint64_t draw = 0);

// `code` in the provider's words: unknown_user for 550, mailbox_full for 552, busy for 421 and so
// on, with the code replaced by exactly this one.
[[nodiscard]] Reply provider_reply_with_code(Provider provider, int code,
                                             const Mentioned& mentioned);

}  // namespace todoku::sink
