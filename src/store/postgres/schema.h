// SPDX-License-Identifier: Apache-2.0
// The tables, as numbered steps. A step is never changed once it was released: what comes next is
// another step, which the version before it can live with, so that two versions run side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

// The last step that this program knows.
[[nodiscard]] std::int64_t schema_steps();

// How many steps a program must know to work on the tables once this one has taken its steps.
[[nodiscard]] std::int64_t schema_worked_on_by();

// The last step that the database has, of those that this program knows; 0: it is empty. Steps of a
// later program are fine where that has told that programs of so few steps can work on its tables.
// corrupt: a step is missing, or it is another program's; unsupported: a later program's tables.
[[nodiscard]] Result<std::int64_t> schema_step_of(Link& link);

// Whether this program can work on the database: it has every step. The sentence says what to do.
[[nodiscard]] Result<void> check_schema(Link& link);

struct SchemaStep {
  std::int64_t number = 0;
  std::string_view name;         // for people
  std::optional<Instant> taken;  // nullopt: not yet
};
// All that this program knows. Errors: as schema_step_of().
[[nodiscard]] Result<std::vector<SchemaStep>> schema_history(Link& link);

// Takes a step, in a transaction of its own; nothing if it is taken already. No lock is waited for
// longer than `lock_most`: then the link's failure has the state 55P03, and nothing has happened.
// `begun` is told the server's process before any lock is waited for.
[[nodiscard]] Result<void> take_schema_step(Link& link, std::int64_t step, Milliseconds lock_most,
                                            const std::function<void(std::int64_t pid)>& begun);

// Takes the steps that are missing, each in a transaction of its own; no lock is waited for longer
// than two seconds. For whoever administers the database: nodes never do it by themselves.
[[nodiscard]] Result<void> take_schema_steps(Link& link);

}  // namespace todoku::store::postgres
