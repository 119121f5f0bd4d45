// SPDX-License-Identifier: Apache-2.0
// What a draft becomes, as JSON (contract section 2.6): to change it, or to see it changed.
#pragma once

#include "api/form.h"
#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"

namespace todoku::api {

// Takes the form's inline parts. Its attachments are left aside: those of a draft stay (contract
// section 2.6). What is wrong with its form is added to `problems`.
[[nodiscard]] intake::UpdateRequest read_update(Form& form, const intake::Limits& limits,
                                                intake::Problems& problems);

}  // namespace todoku::api
