// SPDX-License-Identifier: Apache-2.0
// Has a process tell the store every second which mails were seen to be opened
// (events/opens/seen_opens.h), as many in one commit as there are.
#pragma once

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "events/opens/seen_opens.h"
#include "store/store.h"

namespace todoku::app {

class OpenRecording {
 public:
  // All given outlives it.
  OpenRecording(events::opens::SeenOpens& seen, store::Store& store, async::Executor executor,
                const Clock& clock, Metrics& metrics);

  void start();
  // Tells what is left. From any executor.
  Task<void> stop();

 private:
  Task<void> run();
  // All that waits, or until the store is away.
  Task<void> tell();

  events::opens::SeenOpens& seen_;
  store::Store& store_;
  async::Executor executor_;
  const Clock& clock_;
  Counter& recorded_;
  Counter& repeated_;
  Counter& unknown_;
  Trouble telling_{log::Level::error, "openings are not recorded", "openings are recorded again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
