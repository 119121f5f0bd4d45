// SPDX-License-Identifier: Apache-2.0
// The tables, as numbered steps. A step is never changed once it was released: what comes next is
// another step. Two versions run side by side while processes are replaced, so a step is of a kind:
//
//   expansion     adds what the version before does not miss. Taken before the new version runs.
//   contraction   takes away what this version has ceased to use, and the one before needs. Taken
//                 when no process of the one before lives, at any time; this version works with
//                 and without it. Whatever comes behind it waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

enum class StepKind : std::uint8_t { expansion, contraction };
struct Step {
  std::string_view name;        // for people
  std::string_view statements;  // each ends with ";\n"
  StepKind kind = StepKind::expansion;
};
using Steps = std::span<const Step>;

// Those that this program knows; the first is step 1.
[[nodiscard]] Steps schema();

// The last step that this program knows.
[[nodiscard]] std::int64_t schema_steps();

// The last that it cannot work without: contractions behind it may be missing.
[[nodiscard]] std::int64_t schema_steps_needed(Steps steps);

// How many steps a program must know to work on the tables once `step` is the last that was taken.
[[nodiscard]] std::int64_t schema_worked_on_by(Steps steps, std::int64_t step);

// What a process knows stands before the settings of its node (store/nodes.h): a line without a
// tab, which versions that do not know it pass over (operate/agreement.h).
[[nodiscard]] std::string with_known_steps(std::string_view settings);
[[nodiscard]] std::string_view without_known_steps(std::string_view settings);

// The last step that the database has, of those that this program knows; 0: it is empty. Steps of a
// later program are fine where that has told that programs of so few steps can work on its tables.
// corrupt: a step is missing, or it is another program's; unsupported: a later program's tables.
[[nodiscard]] Result<std::int64_t> schema_step_of(Link& link, Steps steps = schema());

// Whether this program can work on the database: it has every step that is needed. The sentence
// says what to do.
[[nodiscard]] Result<void> check_schema(Link& link, Steps steps = schema());

struct SchemaStep {
  std::int64_t number = 0;
  std::string_view name;         // for people
  std::optional<Instant> taken;  // nullopt: not yet
  StepKind kind = StepKind::expansion;
};
// All that this program knows. Errors: as schema_step_of().
[[nodiscard]] Result<std::vector<SchemaStep>> schema_history(Link& link, Steps steps = schema());

// Takes a step, in a transaction of its own; nothing if it is taken already. No lock is waited for
// longer than `lock_most`: then the link's failure has the state 55P03, and nothing has happened.
// `begun` is told the server's process before any lock is waited for.
struct StepOrder {
  std::int64_t step = 0;
  Milliseconds lock_most{};
  // Of a contraction: no process of another version may live, and none enters until it is taken.
  // Empty: nobody is asked, as in a database where nobody has ever been. Errors also: conflict.
  std::string_view alone_as = {};
};
[[nodiscard]] Result<void> take_schema_step(Link& link, const StepOrder& order,
                                            const std::function<void(std::int64_t pid)>& begun,
                                            Steps steps = schema());

// Takes the steps that are missing, each in a transaction of its own; no lock is waited for longer
// than two seconds. For whoever administers the database: nodes never do it by themselves.
[[nodiscard]] Result<void> take_schema_steps(Link& link);

}  // namespace todoku::store::postgres
