// SPDX-License-Identifier: Apache-2.0
#include "app/roles/scheduler.h"

#include "app/module_options.h"

namespace todoku::app::roles {
namespace {

// Nothing is read: it looks itself at what is held back, before it offers more.
Task<Result<ChangeWatch::Take>> hear_of_holds(delivery::scheduler::Scheduler& scheduler) {
  co_return ChangeWatch::Take([&scheduler]() -> Result<void> {
    scheduler.wake();
    return {};
  });
}

}  // namespace

SchedulerRole::SchedulerRole(const Ground& ground, Shared& shared)
    : ground_(ground),
      shared_(shared),
      options_(delivery_options(ground.config, ground.secret)),
      scheduler_({.store = ground.store,
                  .queues = shared.queues(),
                  .feedback = shared.feedback(),
                  .leads = shared.leads(),
                  .live = shared.live(),
                  .node = ground.node,
                  .keys = ground.keys,
                  .clock = ground.clock,
                  .options = options_,
                  .metrics = ground.metrics},
                 ground.runtime.executor(0)) {
  // Who leads is told what couriers do.
  ground_.collected.follow_couriers([this] { return shared_.leads().leads(); });
  ground_.changes.follow(store::Topic::held, [this] { return hear_of_holds(scheduler_); });
}

Result<void> SchedulerRole::start() {
  scheduler_.start();
  shared_.begin_to_lead();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(scheduler_.stop());
    shared_.stop_leading();
    return true;
  });
  return {};
}

}  // namespace todoku::app::roles
