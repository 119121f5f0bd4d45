// SPDX-License-Identifier: Apache-2.0
// Whether a refusal in clear text asks for TLS.
#pragma once

#include "mail/reply.h"

namespace todoku::feedback::classify {

// X.7.10 (RFC 5248), X.7.11 (RFC 4954), and X.7.29 as Gmail says it.
[[nodiscard]] bool asks_for_tls_by_status(const Reply& reply);

// In words that demand TLS or an encrypted connection, outside of host names and URLs. Not where
// they speak of encrypted letters and attachments, or of links.
[[nodiscard]] bool asks_for_tls_in_words(const Reply& reply);

// 523 (RFC 5248), 538 (RFC 4954), and 530 that says no more than X.7.0 or nothing at all: RFC 3207
// section 4 and, for want of a login, RFC 4954, which no receiver asks of strangers who send to its
// own users. Less certain than any rule that knows the reason.
[[nodiscard]] bool asks_for_tls_by_code(const Reply& reply);

// Gmail takes the content before it says that it came in clear text, as X.7.29.
[[nodiscard]] bool refuses_content_in_clear(const Reply& reply);

}  // namespace todoku::feedback::classify
