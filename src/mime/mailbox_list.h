// SPDX-License-Identifier: Apache-2.0
// The addresses of a field such as From, as others write it (RFC 5322 section 3.4, RFC 6532): with
// names, comments, quoted strings, groups and what the obsolete syntax allows.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/address.h"

namespace todoku::mime {

inline constexpr std::size_t kMailboxesMax = 100;

// The mailboxes of an unfolded field body, names decoded (mime/encoded_words.h), addresses as
// Address::to_string() writes them. Errors: invalid_input (an address that is none, an end that
// does not come, more than kMailboxesMax), one clause.
[[nodiscard]] Result<std::vector<Mailbox>> parse_mailbox_list(std::string_view body);

}  // namespace todoku::mime
