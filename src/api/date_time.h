// SPDX-License-Identifier: Apache-2.0
// The contract's date-times by the names that resources use: base/date_time.h.
#pragma once

#include "base/date_time.h"

namespace todoku::api {

using todoku::format_date_time;
using todoku::parse_date_time;

}  // namespace todoku::api
