// SPDX-License-Identifier: Apache-2.0
// What a call says of a change of an account.
#pragma once

#include "operate/calls/given.h"
#include "operate/operations.h"

namespace todoku::api::admin {

// `given`: of calls::kChangeAccount, or of a call with its arguments.
[[nodiscard]] operate::AccountChange account_change(const operate::Given& given);

}  // namespace todoku::api::admin
