// SPDX-License-Identifier: Apache-2.0
// Of whom a refusal speaks.
#pragma once

#include <cstdint>
#include <string_view>

namespace todoku::feedback::classify {

enum class Party : std::uint8_t {
  recipient,  // or of nobody: the words name none of the others
  sender,     // the address that the mail is from
  us,         // the host that sends, how much it sends, and who is let in at all
  content,    // what the message says or holds
};

// `words` as by readable(). A receiver that looks for the sender's mailbox quotes what it found,
// and one that counts unknown users names them: words about a mailbox are about the recipient's
// only where none of the others is spoken of. When in doubt it is another's: a living address that
// is suppressed is lost, a dead one that is not fails once more.
[[nodiscard]] Party party_of(std::string_view words);

}  // namespace todoku::feedback::classify
