// SPDX-License-Identifier: Apache-2.0
// Whether a refusal in clear text asks for TLS.
#pragma once

#include "mail/reply.h"

namespace todoku::feedback::classify {

// 523 and X.7.10 (RFC 5248), 538 and X.7.11 (RFC 4954).
[[nodiscard]] bool asks_for_tls_by_code(const Reply& reply);

// In words that demand it, on grounds of security, outside of host names and URLs; or by 530 as RFC
// 3207 section 4 has it, which is not 530 "Authentication required" (RFC 4954). Less certain than
// any rule that knows the reason: TLS is named in refusals for other reasons, too.
[[nodiscard]] bool asks_for_tls_in_words(const Reply& reply);

}  // namespace todoku::feedback::classify
