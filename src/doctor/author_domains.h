// SPDX-License-Identifier: Apache-2.0
// Who a mail says that it is by (RFC 5322 section 3.6.2), as DMARC asks it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "mailauth/dkim/message.h"

namespace todoku::doctor {

// The domain of each address in the one From field. Errors: invalid_input in one clause, where it
// is missing, repeated or cannot be read.
[[nodiscard]] Result<std::vector<std::string>> author_domains(
    const mailauth::dkim::MessageView& message);

}  // namespace todoku::doctor
