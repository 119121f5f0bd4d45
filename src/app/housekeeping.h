// SPDX-License-Identifier: Apache-2.0
// Work that nobody waits for: rows of deleted deliveries go away little by little.
#pragma once

#include "async/task.h"
#include "async/task_group.h"
#include "store/store.h"

namespace todoku::app {

class Housekeeping {
 public:
  // `store` must outlive this object.
  Housekeeping(store::Store& store, async::Executor executor)
      : store_(store), executor_(executor), tasks_(executor) {}

  void start();
  // Returns when nothing of it runs. From any executor.
  Task<void> stop();

 private:
  Task<void> purge();

  store::Store& store_;
  async::Executor executor_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
