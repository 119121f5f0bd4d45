// SPDX-License-Identifier: Apache-2.0
// What our own sentences mean, of attempts in which nobody has answered: those stored without a
// cause, and whoever does not name one.
#pragma once

#include "mail/attempt.h"
#include "mail/cause.h"

namespace todoku::feedback::classify {

// `permanent`: the finding is final (no such domain).
[[nodiscard]] Cause own_cause(Stage stage, const Reply& reply, bool permanent);

}  // namespace todoku::feedback::classify
