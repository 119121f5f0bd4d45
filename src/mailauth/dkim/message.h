// SPDX-License-Identifier: Apache-2.0
// A whole message cut into its header fields and its body, as views (RFC 5322 section 2). The one
// cut that signing and verifying agree on.
#pragma once

#include <string_view>
#include <vector>

#include "mail/header_field.h"

namespace todoku::mailauth::dkim {

struct MessageView {
  std::vector<HeaderField> fields;
  std::string_view body;  // after the empty line; empty if there is none
};

// Lines end with CRLF only. A line that cannot be a field (no colon, or no name before it) becomes
// a field with an empty name, so that nothing is lost and nothing matches it. Never fails;
// `message` must outlive the result.
[[nodiscard]] MessageView split_message(std::string_view message);

}  // namespace todoku::mailauth::dkim
