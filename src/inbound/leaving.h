// SPDX-License-Identifier: Apache-2.0
// Who leaves by a mail to unsubscribe@ (RFC 2369 section 3.2): the token stands in its subject, as
// the header field of the mail had it, with whatever programs and people put around it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "mail/unsubscribe_token.h"

namespace todoku::inbound {

// Words of a subject that are looked at.
inline constexpr std::size_t kSubjectWordsMax = 32;

// `subject`: unfolded and decoded. "Re:TOKEN", "[ext] TOKEN (was: ...)" and a token that a program
// has cut in two at a fold are understood. nullopt: no token of ours is there.
[[nodiscard]] std::optional<UnsubscribeToken> leaver_in(std::string_view subject,
                                                        const UnsubscribeTokens& tokens);

}  // namespace todoku::inbound
