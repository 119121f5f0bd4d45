// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "mail/attempt.h"

namespace todoku {

// The stage that to_string() has this word for.
[[nodiscard]] std::optional<Stage> stage_of(std::string_view word);

}  // namespace todoku
