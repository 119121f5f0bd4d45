// SPDX-License-Identifier: Apache-2.0
// Work that nobody waits for: rows of deleted deliveries, events that are old, counts of long ago,
// what people were signed in with, and what they typed long ago go away little by little, and who
// was reached by a stop is written (store/course.h).
#pragma once

#include <functional>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/trouble.h"
#include "store/store.h"

namespace todoku::app {

class Housekeeping {
 public:
  // `store` and `clock` must outlive this object. `events_kept`: for how long.
  Housekeeping(store::Store& store, async::Executor executor, const Clock& clock,
               Milliseconds events_kept)
      : store_(store),
        executor_(executor),
        clock_(clock),
        events_kept_(events_kept),
        tasks_(executor) {}

  void start();
  // Returns when nothing of it runs. From any executor.
  Task<void> stop();

 private:
  using Piece = std::function<Result<bool>(store::WriteTransaction&)>;
  // Again and again, at once while there is more.
  Task<void> repeat(Piece piece, Trouble& trouble);
  Task<void> write_stopped();
  // True: there may be more.
  Task<Result<bool>> write_some_stopped();

  store::Store& store_;
  async::Executor executor_;
  const Clock& clock_;
  const Milliseconds events_kept_;
  store::DeliveryKey stopped_to_{};  // up to where stopped deliveries were looked at
  Trouble purging_{log::Level::error, "deleted rows not purged", "deleted rows are purged again"};
  Trouble dropping_{log::Level::error, "old events not deleted", "old events are deleted again"};
  Trouble forgetting_{log::Level::error, "old counts of mail not deleted",
                      "old counts of mail are deleted again"};
  Trouble rates_{log::Level::error, "old counts of bounces not deleted",
                 "old counts of bounces are deleted again"};
  Trouble sign_ins_{log::Level::error, "ended sign-ins and old texts not deleted",
                    "ended sign-ins and old texts are deleted again"};
  Trouble stopping_{log::Level::error, "stopped mails not recorded",
                    "stopped mails are recorded again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
