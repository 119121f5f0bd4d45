// SPDX-License-Identifier: Apache-2.0
<<<<<<< HEAD
// The date-time of Date and Received (RFC 5322 section 3.3).
=======
// Date-times of mail (RFC 5322 section 3.3).
>>>>>>> a089b069a7e63d712af43dd2b07549084e608ee5
#pragma once

#include <string>

#include "base/clock.h"

namespace todoku::mime {

<<<<<<< HEAD
// Appends e.g. "Thu, 01 Jan 2026 09:00:00 +0900". The zone is at most a day from UTC.
=======
// Appends e.g. "Thu, 01 Jan 2026 09:00:00 +0900". `offset_minutes`: east of UTC, less than a day.
// Years are held to 1900 to 9999.
>>>>>>> a089b069a7e63d712af43dd2b07549084e608ee5
void append_date(std::string& out, Instant instant, int offset_minutes);

}  // namespace todoku::mime
