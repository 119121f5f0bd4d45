// SPDX-License-Identifier: Apache-2.0
// The words behind advice_for(). The first rule that fits speaks.
#pragma once

#include <optional>
#include <span>

#include "explain/advice.h"

namespace todoku::explain {

// Conditions left out always hold.
struct AdviceRule {
  std::optional<Cause> cause;
  std::optional<RecipientState> state;
  std::optional<Stage> stage;
  std::optional<bool> is_signed;
  Advice advice;
};

// Not empty; the last rule has no condition.
[[nodiscard]] std::span<const AdviceRule> advice_rules();

}  // namespace todoku::explain
