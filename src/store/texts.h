// SPDX-License-Identifier: Apache-2.0
// What every back end refuses before it merges anything, so that one bad item cannot fail a group:
// texts that a database of UTF-8 cannot hold (PostgreSQL knows neither NUL nor other octets), and
// forms that no caller means.
#pragma once

#include <string_view>

#include "base/result.h"
#include "store/bells.h"
#include "store/work.h"

namespace todoku::store {

// UTF-8 without NUL. invalid_input names `what`.
[[nodiscard]] Result<void> check_text(std::string_view what, std::string_view text);

// What is in pieces has one attachment, without data. Errors: invalid_input.
[[nodiscard]] Result<void> check_relayed_data(const NewDelivery& delivery);

// Errors: invalid_input.
[[nodiscard]] Result<void> check_sound(const Accept& accept);
[[nodiscard]] Result<void> check_sound(const StageRows& stage);
[[nodiscard]] Result<void> check_sound(const BellWork& work);
// Of one outcome: its neighbours are recorded all the same.
[[nodiscard]] Result<void> check_sound(const OutcomeRecord& outcome);

}  // namespace todoku::store
