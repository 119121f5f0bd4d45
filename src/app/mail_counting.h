// SPDX-License-Identifier: Apache-2.0
// Has a process tell the store every few seconds how much mail it accepted of accounts with a limit
// (intake/mail_limit.h).
#pragma once

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/trouble.h"
#include "delivery/node.h"
#include "intake/mail_limit.h"

namespace todoku::app {

class MailCounting {
 public:
  // All given outlives it.
  MailCounting(intake::MailLimit& limit, delivery::Node& node, async::Executor executor,
               const Clock& clock)
      : limit_(limit), node_(node), executor_(executor), clock_(clock), tasks_(executor) {}

  void start();
  // Tells what is left. From any executor.
  Task<void> stop();

 private:
  Task<void> run();
  Task<void> tell();

  intake::MailLimit& limit_;
  delivery::Node& node_;
  async::Executor executor_;
  const Clock& clock_;
  Trouble telling_{log::Level::error, "accepted mail is not counted over all processes",
                   "accepted mail is counted over all processes again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
