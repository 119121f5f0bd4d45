// SPDX-License-Identifier: Apache-2.0
// How the mails of a batch end in the sandbox: what could not be made for anybody
// (delivery/unmade.h) is refused as elsewhere, all else ends by its address (policy/sandbox.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "delivery/policy/sandbox.h"
#include "delivery/work.h"
#include "mail/attempt.h"

namespace todoku::delivery::courier {

// Of each mail that is in turn, by its place, those together that take as long to be answered.
using SandboxEnds =
    std::map<Milliseconds, std::vector<std::pair<std::uint32_t, policy::SandboxEnd>>>;

// `refusal`: of all of them. `octets_max`: Options::message_octets_max.
[[nodiscard]] SandboxEnds sandbox_ends(const BatchInFlight& batch,
                                       const std::optional<Outcome>& refusal,
                                       std::uint64_t octets_max);

}  // namespace todoku::delivery::courier
