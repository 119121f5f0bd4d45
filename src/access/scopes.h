// SPDX-License-Identifier: Apache-2.0
// The words for what an API key opens (store/accounts.h).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/accounts.h"

namespace todoku::access {

// "send"
[[nodiscard]] std::string_view to_string(store::Scope scope);
// "send,read", in the order of their numbers.
[[nodiscard]] std::string to_string(store::Scopes scopes);
// Words with commas between, at least one. Errors: invalid_input, naming the word.
[[nodiscard]] Result<store::Scopes> parse_scopes(std::string_view text);

}  // namespace todoku::access
