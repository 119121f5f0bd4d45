// SPDX-License-Identifier: Apache-2.0
// Keeps what this process has in memory of the store as it is there, whichever process or tool
// changed it: every half second one short question tells whose number is another one
// (store/changes.h), and that is read anew.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/trouble.h"
#include "store/store.h"

namespace todoku::app {

class ChangeWatch {
 public:
  // Puts what was read in the place of what was known, at once: nobody finds it missing meanwhile.
  using Take = std::move_only_function<Result<void>()>;
  using Read = std::function<Task<Result<Take>>()>;

  // Lives on `executor`, of one thread. `store` and `clock` must outlive it.
  ChangeWatch(store::Store& store, const Clock& clock, async::Executor executor)
      : store_(store), clock_(clock), executor_(executor), tasks_(executor) {}

  // Before start(). `read` is called on the executor, also for what nothing is known of yet.
  void follow(store::Topic topic, Read read);
  void start();
  // Returns when it looks no more by itself. From any executor.
  Task<void> stop();

  // Looks now. Afterwards all that had been changed before the call is known here, or the error
  // says why not; it is tried again. From any executor.
  [[nodiscard]] Task<Result<void>> look();

 private:
  struct Followed {
    store::Topic topic{};
    Read read;
    std::optional<std::int64_t> number;  // of what is known; nullopt: nothing is
    std::uint64_t look = 0;              // which found that
  };

  Task<void> run();
  [[nodiscard]] Task<Result<void>> look_here();
  [[nodiscard]] Task<Result<void>> look_at_all(std::uint64_t look);
  [[nodiscard]] static Task<Result<void>> renew(Followed& followed, std::int64_t number,
                                                std::uint64_t look);

  store::Store& store_;
  const Clock& clock_;
  async::Executor executor_;
  std::vector<Followed> followed_;
  std::uint64_t looks_ = 0;
  Trouble looking_{log::Level::error, "changes by others are not heard of",
                   "changes by others are heard of again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
