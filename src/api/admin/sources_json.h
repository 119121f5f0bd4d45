// SPDX-License-Identifier: Apache-2.0
// Sources and their warm-up plans as JSON.
#pragma once

#include <span>
#include <string>

#include "operate/sources.h"

namespace todoku::api::admin {

// {"sources": [{name, traffic, via, state, warm_up: null or {first_day, today, step, steps,
// volumes, volume, taken, left, overflow, receivers: [{receiver, volume, taken, left}], days:
// [{day, taken}]}}]}
[[nodiscard]] std::string sources_json(std::span<const operate::SourceView> sources);

}  // namespace todoku::api::admin
