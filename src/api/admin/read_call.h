// SPDX-License-Identifier: Apache-2.0
// A request to the admin socket as a call of an operation.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "operate/calls/given.h"

namespace todoku::api::admin {

// The arguments that `request` and its `body` give; or all that is missing, unknown, or not as the
// call declares it, at least one.
[[nodiscard]] std::expected<operate::Given, std::vector<operate::Misgiven>> read_call(
    const operate::Call& call, const http::Request& request, std::string_view body);

}  // namespace todoku::api::admin
