// SPDX-License-Identifier: Apache-2.0
// What is over goes after its time (configuration, `retention`): what was said, then the delivery
// as a whole, lines of the audit, and what
// is reported of domains. Little by little, an account after the other; of several
// processes one does it (store/event_readers.h), as long as it lives. What keeps its story and has
// lost its content is passed over: each account's place is a setting (store/retention.h), and
// stands before all that was seen with content, or on its way.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/trouble.h"
#include "store/retention.h"
#include "store/store.h"

namespace todoku::app {

class Retention {
 public:
  struct Rules {
    store::KeptFor kept;           // zeros: without an end
    std::int64_t audit_days = 0;   // likewise
    std::int64_t report_days = 0;  // likewise; of domains
  };

  // `store` and `clock` must outlive this object. `node`: which this process is.
  Retention(store::Store& store, async::Executor executor, const Clock& clock, const Rules& rules,
            std::function<store::NodeKey()> node)
      : store_(store),
        executor_(executor),
        clock_(clock),
        rules_(rules),
        node_(std::move(node)),
        tasks_(executor) {}

  void start();
  // Returns when nothing of it runs; another process may do it from then on. From any executor,
  // once.
  Task<void> stop();

  // None of it if another process has it. Else all that is due now, for tests too. How many
  // deliveries it changed; fewer when it is stopped. An account of which that cannot be done is
  // told as the error, after all others were done; only if the store is away they wait, too.
  Task<Result<std::int64_t>> pass();

 private:
  struct Owner {
    store::AccountKey account{};
    store::KeptFor kept;
    std::optional<Instant> erased_until = {};
    std::optional<Error> wrong = {};  // its settings cannot be read
  };
  // Through deliveries that started so many days ago, or more.
  struct Walk {
    store::AccountKey account{};
    std::int64_t days = 0;
    bool whole = false;           // else their content
    std::optional<Instant> from;  // when they started; nullopt: all
    Instant now{};
  };
  struct Walked {
    std::int64_t changed = 0;
    std::optional<Instant> left;  // when the first started that was seen with its content
    bool whole = false;           // else it was stopped
  };
  struct Due {
    store::DeliveryKey key{};
    bool whole = false;  // else its content
  };
  struct Stretch {
    std::vector<Due> due;
    std::optional<Instant> left;  // as of Walked
    std::optional<store::DeliveryPlace> next;
  };
  Task<void> run();
  // False: another process, which lives, has it.
  Task<Result<bool>> take();
  Task<Result<std::vector<Owner>>> owners(store::AccountKey after);
  [[nodiscard]] static Owner owner_of(store::ReadTransaction& reader, store::AccountKey account,
                                      const store::KeptFor& of_all);
  Task<Result<std::int64_t>> pass_account(Owner owner);
  Task<Result<std::int64_t>> erase_contents(Owner owner);
  Task<Result<Walked>> go_through(Walk walk);
  [[nodiscard]] static Result<Stretch> due_of(store::ReadTransaction& reader, const Walk& walk,
                                              std::optional<store::DeliveryPlace> from);
  Task<Result<std::int64_t>> carry_out(std::vector<Due> due);
  Task<Result<void>> drop_audit();
  Task<Result<void>> drop_reports();

  store::Store& store_;
  async::Executor executor_;
  const Clock& clock_;
  const Rules rules_;
  const std::function<store::NodeKey()> node_;
  std::optional<store::NodeKey> taken_as_;
  Trouble trouble_{log::Level::error, "what is over its retention stays",
                   "what is over its retention is removed again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
