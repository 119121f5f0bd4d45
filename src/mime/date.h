// SPDX-License-Identifier: Apache-2.0
// The date-time of Date and Received (RFC 5322 section 3.3).
#pragma once

#include <string>

#include "base/clock.h"

namespace todoku::mime {

// Appends e.g. "Thu, 01 Jan 2026 09:00:00 +0900". The zone is at most a day from UTC.
void append_date(std::string& out, Instant instant, int offset_minutes);

}  // namespace todoku::mime
