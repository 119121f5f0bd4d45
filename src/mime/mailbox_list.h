// SPDX-License-Identifier: Apache-2.0
// The addresses of a field such as From, as others write it (RFC 5322 section 3.4, RFC 6532): with
// names, comments, quoted strings, groups and what the obsolete syntax allows.
//
// Strict where two readers could find different addresses, because what is checked here is shown
// to people by somebody else's reader.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/address.h"

namespace todoku::mime {

inline constexpr std::size_t kMailboxesMax = 100;

struct ListedMailbox {
  // The name decoded (mime/encoded_words.h), or what an old comment behind the address says; the
  // address as Address::to_string() writes it.
  Mailbox mailbox;
  // Of "root" and "root@host", which mean somebody of the sender's own house: then the address is
  // what stands there and parse_address() has not seen it.
  bool is_qualified = true;
  bool in_group = false;
  friend bool operator==(const ListedMailbox&, const ListedMailbox&) = default;
};

// The mailboxes of an unfolded field body, which may be none. Errors: invalid_input with one
// clause: an address that is none, an end that does not come, two addresses in one, controls, more
// than `most`.
[[nodiscard]] Result<std::vector<ListedMailbox>> parse_mailbox_list(
    std::string_view body, std::size_t most = kMailboxesMax);

}  // namespace todoku::mime
