// SPDX-License-Identifier: Apache-2.0
// Has a process tell the store every minute in which hour API keys were used last
// (access/access.h). Those of the relay are told with the habits of its credentials
// (relay/credential_watch.h).
#pragma once

#include "api/api.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/trouble.h"

namespace todoku::app {

class UseRecording {
 public:
  // All given outlives it.
  UseRecording(api::Api& api, async::Executor executor, const Clock& clock)
      : api_(api), executor_(executor), clock_(clock), tasks_(executor) {}

  void start();
  // Tells what is left. From any executor.
  Task<void> stop();

 private:
  Task<void> run();
  Task<void> tell();

  api::Api& api_;
  async::Executor executor_;
  const Clock& clock_;
  Trouble telling_{log::Level::warning, "last uses of API keys are not recorded",
                   "last uses of API keys are recorded again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
