// SPDX-License-Identifier: Apache-2.0
// Probes of mailboxes as JSON.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "operate/probes.h"

namespace todoku::api::admin {

// {"every_minutes", "from": [...], "mailboxes": [{name, provider, address, host}]}
[[nodiscard]] std::string probe_plan_json(const operate::ProbePlan& plan);

// {"probes": [{mailbox, provider, from, asked, place, seconds?, ...}]}; seconds: from the handing
// over until it was seen.
[[nodiscard]] std::string probes_json(std::span<const store::Probe> probes,
                                      std::chrono::minutes offset);

}  // namespace todoku::api::admin
