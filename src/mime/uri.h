// SPDX-License-Identifier: Apache-2.0
// The URIs of List-Unsubscribe: out of what people write, what RFC 3986 and RFC 2369 allow.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::mime {

// A longer URI could only be written with a fold inside, and not every reader puts its lines
// together again: the link would be dead.
inline constexpr std::size_t kUriOctetsMax = 900;

// `given` as a valid URI that can stand in angle brackets beside others: white space around it is
// taken off; a host beyond ASCII, also of a mailto: address, becomes A-labels; what RFC 3986
// section 2 does not allow at its place is percent-encoded, and so are commas (RFC 2369 section 2)
// and each
// "%" that begins no encoded octet ("50% off"). What is valid stays as it is.
// Errors, each with a clause: invalid_input (no mailto:, http: or https: URI, no or an impossible
// host), limit_exceeded (over kUriOctetsMax).
[[nodiscard]] Result<std::string> valid_uri(std::string_view given);

}  // namespace todoku::mime
