// SPDX-License-Identifier: Apache-2.0
// A request to the admin socket as a call of an operation.
#pragma once

#include "http/message.h"
#include "operate/calls/given.h"

namespace todoku::api::admin {

// The arguments that `request` and its `body` give. Errors: invalid_input by a sentence, where
// something is missing, unknown, or not as the call declares it.
[[nodiscard]] Result<operate::Given> read_call(const operate::Call& call,
                                               const http::Request& request, std::string_view body);

}  // namespace todoku::api::admin
