// SPDX-License-Identifier: Apache-2.0
// From the configuration to DKIM keys that rotate by themselves.
#pragma once

#include <string>

#include "app/key_keeper.h"
#include "app/key_zone_writer.h"
#include "config/config.h"
#include "operate/key_slots.h"

namespace todoku::app {

// In A-labels; empty: there is none.
[[nodiscard]] std::string platform_zone(const config::Config& config);
[[nodiscard]] operate::SlotPace slot_pace(const config::Config& config);
[[nodiscard]] KeyZoneWriter key_zone_writer(const config::Config& config);
[[nodiscard]] KeyKeeper::Options key_keeper_options(const config::Config& config);

}  // namespace todoku::app
