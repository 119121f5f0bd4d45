// SPDX-License-Identifier: Apache-2.0
// The tables, as numbered steps. A step is never changed once it was released: what comes next is
// another step, which the version before it can live with, so that two versions run side by side.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

// The last step that this program knows.
[[nodiscard]] std::int64_t schema_steps();

// The last step that the database has; 0: it is empty. corrupt: a step is missing, or it is another
// program's; unsupported: it has steps that this program does not know.
[[nodiscard]] Result<std::int64_t> schema_step_of(Link& link);

// Whether this program can work on the database: it has every step. The sentence says what to do.
[[nodiscard]] Result<void> check_schema(Link& link);

// Takes the steps that are missing, each in a transaction of its own; no lock is waited for longer
// than two seconds. For whoever administers the database: nodes never do it by themselves.
[[nodiscard]] Result<void> take_schema_steps(Link& link);

}  // namespace todoku::store::postgres
