// SPDX-License-Identifier: Apache-2.0
// A call of an operation as the request that the admin port takes.
#pragma once

#include "cli/admin_port.h"
#include "operate/calls/given.h"

namespace todoku::cli {

// Names and values are encoded; arguments come in the order in which the call declares them.
[[nodiscard]] AdminRequest request_of(const operate::Given& given);

}  // namespace todoku::cli
