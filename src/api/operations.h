// SPDX-License-Identifier: Apache-2.0
// Operations of operators (src/operate) as resources of the REST API: the same calls with the same
// arguments as at the admin socket, failures in the contract's shape.
#pragma once

#include <string_view>

#include "api/admin/routes.h"
#include "api/api.h"
#include "operate/calls/call.h"

namespace todoku::api {

inline constexpr store::Scopes kAdmin = static_cast<store::Scopes>(store::Scope::admin);

// {"error": sentence}, as the admin socket tells a failure, in the contract's shape.
[[nodiscard]] http::Response reshaped(const http::Response& failure, Language language);

using Carrying = Task<http::Response> (*)(operate::Operations& operations,
                                          const operate::Call& call, operate::Given given);

// Makes the call of what the request says. `account`: whose it is about, unless its path says that;
// empty: it does.
[[nodiscard]] Task<http::Response> make_call(Api& api, Call& call, const operate::Call& wanted,
                                             std::string_view account,
                                             Carrying carry_out = &admin::carry_out);

// The same of a call that makes an account, a key or a domain: with an Idempotency-Key its repeat
// makes nothing more, and is answered as it was.
[[nodiscard]] Task<http::Response> make_call_once(Api& api, Call& call, const operate::Call& wanted,
                                                  std::string_view account,
                                                  store::KeyedRoute route);

}  // namespace todoku::api
