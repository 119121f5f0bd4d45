// SPDX-License-Identifier: Apache-2.0
// Export jobs (store/exports.h) at the door; what does them is events/exports.
#pragma once

#include "async/task.h"
#include "intake/problem.h"
#include "intake/repeats.h"
#include "store/store.h"

namespace todoku::intake {

// The job's id. Refused with limit_exceeded: too many of the account are not done.
[[nodiscard]] Task<Answer<store::PublicId>> begin_export(store::Store& store,
                                                         store::NewExport wanted,
                                                         Repeatable repeatable);

}  // namespace todoku::intake
