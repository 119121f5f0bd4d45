// SPDX-License-Identifier: Apache-2.0
// Date-times of mail (RFC 5322 section 3.3).
#pragma once

#include <string>

#include "base/clock.h"

namespace todoku::mime {

// Appends e.g. "Thu, 01 Jan 2026 09:00:00 +0900". `offset_minutes`: east of UTC, less than a day.
// Years are held to 1900 to 9999.
void append_date(std::string& out, Instant instant, int offset_minutes);

}  // namespace todoku::mime
