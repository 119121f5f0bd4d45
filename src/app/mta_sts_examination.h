// SPDX-License-Identifier: Apache-2.0
// What this installation would make of a domain's MTA-STS now: `todoku mta-sts check`.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "cli/mta_sts_finding.h"
#include "config/config.h"
#include "delivery/policy/site_rules.h"

namespace todoku::app {

// Blocks as long as those who are asked take, a minute at most. Errors: invalid_input (the domain,
// the resolver), not_found (no such resolver), unavailable.
[[nodiscard]] Result<cli::MtaStsFinding> examine_mta_sts(const config::Config& config,
                                                         const delivery::policy::SiteRules& rules,
                                                         const cli::MtaStsWish& wish,
                                                         const Clock& clock);

}  // namespace todoku::app
