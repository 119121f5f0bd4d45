// SPDX-License-Identifier: Apache-2.0
// All that `todoku doctor` says of an installation. Needs no store and no running engine.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/host.h"
#include "config/config.h"
#include "doctor/finding.h"

namespace todoku::app {

// Blocks. Errors: not_found (no source of this name; no such name server), invalid_input (what
// `wish.resolver` is), unavailable.
[[nodiscard]] Result<std::vector<doctor::Finding>> examine_installation(
    const config::Config& config, const cli::ExaminationWish& wish, const Clock& clock);

}  // namespace todoku::app
