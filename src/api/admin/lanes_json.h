// SPDX-License-Identifier: Apache-2.0
// How lanes fare, as JSON.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "store/lane_paces.h"

namespace todoku::api::admin {

// Times also for people, in the zone that is so far east of UTC.
[[nodiscard]] std::string lanes_json(std::span<const store::LanePace> lanes,
                                     std::chrono::minutes offset);

}  // namespace todoku::api::admin
