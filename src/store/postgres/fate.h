// SPDX-License-Identifier: Apache-2.0
// What became of a commit whose answer never came. Every transaction that changes something begins
// by inserting a token of its own into `flights`. Who is in doubt inserts the same token once more:
// the unique key waits for the first transaction if it still commits (to look for the token would
// miss that one), and keeps it from beginning if it has not arrived yet.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.h"
#include "store/postgres/link.h"
#include "store/postgres/store_time.h"

namespace todoku::store::postgres {

// Of one transaction. Never used twice.
[[nodiscard]] std::int64_t new_token();

// What the server ends by itself: a statement that lasts longer than this, and, if it is not zero,
// one that waits longer than that for a lock.
struct TimeLimits {
  Milliseconds statement = std::chrono::seconds(15);
  Milliseconds lock{};
};
// Where somebody waits for the answer to a flight: before it is given up, so that what is held up
// is refused and no doubt.
[[nodiscard]] constexpr TimeLimits limits_within(Milliseconds flight) {
  return {.statement = flight * 3 / 4, .lock = flight / 2};
}

// The first statements of a transaction that changes something. The first row of the last of them
// is the store's time in it.
void add_begin(Link& link, std::int64_t token, Told told, const TimeLimits& limits = {});
inline constexpr std::size_t kBeginStatements = 3;

// On another connection. True: it is committed. False: it is not, and never will be.
[[nodiscard]] Result<bool> was_committed(Link& link, std::int64_t token, Milliseconds most);

}  // namespace todoku::store::postgres
