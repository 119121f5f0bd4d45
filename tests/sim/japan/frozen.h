// SPDX-License-Identifier: Apache-2.0
// Which worlds the pace's constants were tuned on, what they are since, and which worlds judge
// them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "delivery/policy/adaptive_pace.h"

namespace todoku::sim::japan {

// Worlds for tuning: whoever changes the constants looks at these alone.
constexpr std::array<std::uint64_t, 8> kTrainingSeeds = {1, 2, 3, 4, 5, 6, 7, 8};

// PaceOptions{} as they were when the tuning ended, in the words of parameters_text(). Who tunes
// again puts the new text here, and has other worlds by it.
constexpr std::string_view kFrozen =
    "connections_start=1 pace_start=5 pace_least=0.2 shrink=0.7 shrink_first=0.35 shrink_slow=0.8 "
    "throttles_to_rest=3 round_least=20000us messages_to_return=2500 return_least=10s "
    "return_most=250s connections_growth=1.15 pace_growth=1.4 connection_step=60s "
    "connection_step_most=900s latency_times=3 latency_more=1000000us";

[[nodiscard]] std::string parameters_text(const delivery::policy::PaceOptions& options);

// Of the worlds that judge: the first octets of the SHA-256 of kFrozen, so that nobody chose them.
[[nodiscard]] std::array<std::uint64_t, 3> fresh_seeds();

}  // namespace todoku::sim::japan
