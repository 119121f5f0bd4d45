// SPDX-License-Identifier: Apache-2.0
// Tells an alarm that means nothing by each way that is configured, to see whether it arrives.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "doctor/finding.h"

namespace todoku::app {

// One finding a way, at least; takes two minutes at most. Errors: not_found (no way is configured),
// unsupported (nothing leaves this machine).
[[nodiscard]] Result<std::vector<doctor::Finding>> try_alarms(const config::Config& config,
                                                              const Clock& clock);

}  // namespace todoku::app
