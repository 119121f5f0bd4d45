// SPDX-License-Identifier: Apache-2.0
// Work that nobody waits for: rows of deleted deliveries, and counts of long ago, go away little by
// little.
#pragma once

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/trouble.h"
#include "store/store.h"

namespace todoku::app {

class Housekeeping {
 public:
  // `store` and `clock` must outlive this object.
  Housekeeping(store::Store& store, async::Executor executor, const Clock& clock)
      : store_(store), executor_(executor), clock_(clock), tasks_(executor) {}

  void start();
  // Returns when nothing of it runs. From any executor.
  Task<void> stop();

 private:
  Task<void> purge();

  store::Store& store_;
  async::Executor executor_;
  const Clock& clock_;
  Trouble purging_{log::Level::error, "deleted rows not purged", "deleted rows are purged again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
