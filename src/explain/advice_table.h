// SPDX-License-Identifier: Apache-2.0
// The rules behind advice_for(). The first that matches speaks.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "explain/advice.h"

namespace todoku::explain {

// Conditions left out always hold.
struct AdviceRule {
  std::optional<RecipientState> state;
  std::optional<Stage> stage;
  std::optional<bool> answered;  // whether the receiver gave a reply
  int code_low = 0;              // reply code from..to; 0: any
  int code_high = 0;
  int subject = -1;          // of the enhanced status code, whatever its class; -1: any
  int detail = -1;           // likewise
  std::string_view phrases;  // one of these, lower case, separated by '|'
  Advice advice;
};

// Not empty; the last rule has no condition.
[[nodiscard]] std::span<const AdviceRule> advice_rules();

}  // namespace todoku::explain
