// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace todoku::delivery::policy {

// rules/automations.toml as it was when the engine was built.
[[nodiscard]] std::string_view shipped_automations();

}  // namespace todoku::delivery::policy
