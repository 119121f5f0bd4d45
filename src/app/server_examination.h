// SPDX-License-Identifier: Apache-2.0
// Looks at the machine for doctor/server_health.h: certificates, the clock's synchronisation, the
// disk, the limit of open files. Changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "dns/resolver_health.h"
#include "doctor/server_health.h"

namespace todoku::app {

// All but what the DNS says; blocks for a moment.
[[nodiscard]] doctor::ServerFacts server_facts(const config::Config& config);

// `zone`: asked about for DNSSEC.
[[nodiscard]] Task<doctor::DnssecFact> dnssec_fact(dns::Resolver& resolver, bool has_anchor,
                                                   std::string zone);

[[nodiscard]] doctor::ResolverFact resolver_fact(const dns::CheckFinding& check);

}  // namespace todoku::app
