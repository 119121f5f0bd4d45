// SPDX-License-Identifier: Apache-2.0
// SASLprep (RFC 4013): user names and passwords in the one form in which they are compared, so that
// what two keyboards write differently is one password.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku {

// RFC 3454 section 7: what is kept may hold no code point that Unicode 3.2 did not assign; what is
// only compared with it may.
enum class SaslprepOf : std::uint8_t { stored, query };

// The prepared text, in UTF-8; of ASCII without controls it is the text itself. Text that becomes
// empty is given as that, though RFC 4616 section 2 lets nobody in with it. Errors: invalid_input
// (no UTF-8, longer than kSaslprepOctetsMax, a forbidden character, left-to-right and right-to-left
// mixed); no detail holds the text.
inline constexpr std::size_t kSaslprepOctetsMax = 4096;
[[nodiscard]] Result<std::string> saslprep(std::string_view text, SaslprepOf of);

}  // namespace todoku
