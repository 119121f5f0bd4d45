// SPDX-License-Identifier: Apache-2.0
// A server's reply as it is quoted in the texts of others.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mail/attempt.h"
#include "mail/reply.h"

namespace todoku::feedback::parse {

// The first reply of 4xx or 5xx in `text`, with all of its lines (RFC 5321 section 4.2.1) joined
// and what follows it cut at kQuotedOctetsMax, printable (base/printable.h); nullopt: none is
// quoted.
[[nodiscard]] std::optional<Reply> quoted_reply(std::string_view text);
inline constexpr std::size_t kQuotedOctetsMax = 2'048;

// The first "4.x.y" or "5.x.y" that is no part of an address of a host; empty: none.
[[nodiscard]] std::string quoted_status(std::string_view text);

// Of which command the words say that it was answered so.
[[nodiscard]] Stage quoted_stage(std::string_view text);

}  // namespace todoku::feedback::parse
