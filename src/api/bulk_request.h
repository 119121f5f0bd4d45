// SPDX-License-Identifier: Apache-2.0
// A content as JSON with files (contract section 2.5): to begin a bulk with, or to be seen.
#pragma once

#include <span>

#include "api/form.h"
#include "api/members.h"
#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"

namespace todoku::api {

// Takes the form's files. How the bulk is to go is not read (steering_request.h). What is wrong
// with its form is added to `problems`; `known`: the members that the request may have.
[[nodiscard]] intake::BulkRequest read_bulk(Form& form, const intake::Limits& limits,
                                            std::span<const Member> known,
                                            intake::Problems& problems);

}  // namespace todoku::api
