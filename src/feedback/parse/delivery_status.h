// SPDX-License-Identifier: Apache-2.0
// The fields of message/delivery-status (RFC 3464 section 2) and its international form (RFC 6533
// section 4), as real systems write them.
#pragma once

#include <string_view>
#include <vector>

#include "feedback/parse/bounce.h"

namespace todoku::feedback::parse {

// In their order; at most kRecipientsMax.
[[nodiscard]] std::vector<ReturnedRecipient> read_delivery_status(std::string_view text);

// The address of "rfc822; someone@example.jp" and its like: without its type, brackets and
// comments. Empty: there is none.
[[nodiscard]] std::string typed_address(std::string_view value);

}  // namespace todoku::feedback::parse
