// SPDX-License-Identifier: Apache-2.0
// DKIM keys that rotate by themselves, as JSON.
#pragma once

#include <string>

#include "operate/operations.h"

namespace todoku::api::admin {

[[nodiscard]] std::string key_slots_json(const operate::Page<operate::KeySlotsView>& page);
[[nodiscard]] std::string key_slots_json(const operate::KeySlotsView& view);

}  // namespace todoku::api::admin
