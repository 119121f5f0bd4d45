// SPDX-License-Identifier: Apache-2.0
// The rules that strategies go by in these worlds.
#pragma once

#include <string_view>

#include "delivery/policy/site_rules.h"

namespace todoku::sim::japan {

// rules/sites.toml at `path`, as it is shipped.
[[nodiscard]] delivery::policy::SiteRules shipped_rules(std::string_view path);
// The same with ceilings that are far off for the large receivers and the defaults: no pace, 20
// connections. How much a receiver takes is left to the engine to find out.
[[nodiscard]] delivery::policy::SiteRules wide_rules(std::string_view path);

}  // namespace todoku::sim::japan
