// SPDX-License-Identifier: Apache-2.0
// Whether this machine lets us use an address of its own: tried and given back at once.
#pragma once

#include "base/result.h"
#include "net/endpoint.h"

namespace todoku::net {

// Errors: conflict (somebody listens there), not_found (no such address on this machine), others of
// the operating system's. Port 0: only the address is tried.
[[nodiscard]] Result<void> check_bindable(const Endpoint& at);

}  // namespace todoku::net
