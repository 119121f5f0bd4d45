// SPDX-License-Identifier: Apache-2.0
// Brings the tables of a database up to what this program needs (schema.h), beside those who work
// on it: a lock is waited for two seconds at a time, because whoever comes later waits behind us.
// Who stands in the way is named, and the step tried again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/postgres/dialer.h"
#include "store/postgres/schema.h"

namespace todoku::store::postgres {

// A session of the server whose locks a step waited for.
struct Blocker {
  std::int64_t pid = 0;
  std::string application;
  std::int64_t seconds = 0;  // its transaction lasts
  std::string query;         // how it begins
};

class Migration {
 public:
  struct Limits {
    Milliseconds lock_most = std::chrono::seconds(2);
    Milliseconds pause = std::chrono::seconds(1);  // between two tries, for those who waited
  };
  // Told after each try of a step that came to nothing. May know of no blocker: they come and go.
  using Blocked = std::function<void(std::int64_t step, const std::vector<Blocker>& by)>;

  explicit Migration(DialOptions dial) : Migration(std::move(dial), Limits()) {}
  // `steps` outlive it.
  Migration(DialOptions dial, const Limits& limits, Steps steps = schema())
      : dialer_(std::move(dial)), limits_(limits), steps_(steps) {}

  // Errors: unavailable, unauthorized; unsupported, corrupt as of schema_step_of().
  [[nodiscard]] Result<std::vector<SchemaStep>> status();
  // Takes the expansions that are missing, up to the first contraction that is; of an empty
  // database every step. unavailable: a lock was not free within `patience`; steps that were taken
  // before stay taken. conflict: this program needs a step behind a contraction that is missing.
  [[nodiscard]] Result<void> up(Milliseconds patience, const Blocked& blocked);
  // Takes the contractions that come next. `version`: of this program, as its processes tell it.
  // Errors: those of up(); conflict: expansions are missing, or a process of another version lives.
  [[nodiscard]] Result<void> contract(std::string_view version, Milliseconds patience,
                                      const Blocked& blocked);

 private:
  class Watch;
  struct Part {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::string_view alone_as;  // StepOrder
    Milliseconds patience{};
  };
  [[nodiscard]] Result<void> take(Link& link, const Part& part, const Blocked& blocked);
  [[nodiscard]] Result<std::unique_ptr<Link>> connect();

  Dialer dialer_;
  const Limits limits_;
  const Steps steps_;
};

}  // namespace todoku::store::postgres
