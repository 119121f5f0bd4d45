// SPDX-License-Identifier: Apache-2.0
// The two ways in which AWS writes a time. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace todoku::queue::sqs {

// "2026-11-27T00:11:22Z", with or without a fraction: of credentials. Whole seconds.
[[nodiscard]] std::optional<Instant> read_timestamp(std::string_view text);

// "Fri, 27 Nov 2026 00:11:22 GMT" (RFC 9110 section 5.6.7, the one form that is sent today).
[[nodiscard]] std::optional<Instant> read_http_date(std::string_view text);

}  // namespace todoku::queue::sqs
