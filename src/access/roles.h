// SPDX-License-Identifier: Apache-2.0
// What the roles of people may do, in the words and scopes of API keys (scopes.h): there is one
// check for keys and people. Pure.
//
//   role      send  read  content  suppress  admin
//   operator    x     x      x        x        x     in the account that is acted for
//   owner       x     x      x        x        x
//   sender      x     x      x        x
//   viewer            x
//   support           x               x
#pragma once

#include <optional>
#include <string_view>

#include "store/accounts.h"
#include "store/people.h"

namespace todoku::access {

[[nodiscard]] store::Scopes scopes_of(store::Role role);
// "operator", "owner", ...
[[nodiscard]] std::string_view to_string(store::Role role);
[[nodiscard]] std::optional<store::Role> parse_role(std::string_view word);

// Whether somebody of the role `granter` may make somebody one of `role`, or change who is one:
// they look after people at all, and hold all that it does. Operators are made by operators alone.
[[nodiscard]] bool may_grant(store::Role granter, store::Role role);

}  // namespace todoku::access
