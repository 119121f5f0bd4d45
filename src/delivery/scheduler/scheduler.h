// SPDX-License-Identifier: Apache-2.0
// The scheduler's loop: starts deliveries at their time, offers again what dead nodes held, and
// lets the dispatcher make a pass when there is something to be offered. Losing it loses nothing:
// the store says what is due. Of several processes only the one that leads does so; who begins to
// lead knows of nothing that is outstanding.
//
//   store: deliveries_to_start ──> Scheduler ──pass──> Dispatcher ──bells──> queue
//          nodes                       ^
//                                      └── Feedback (couriers, lanes), intake (wake)
#pragma once

#include <mutex>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/feedback.h"
#include "delivery/key_ring.h"
#include "delivery/leadership.h"
#include "delivery/live_sources.h"
#include "delivery/node_lease.h"
#include "delivery/options.h"
#include "delivery/scheduler/dispatcher.h"
#include "delivery/scheduler/node_watcher.h"
#include "delivery/scheduler/step_reports.h"
#include "queue/queue.h"
#include "store/store.h"

namespace todoku::delivery::scheduler {

// Lives on one executor. wake() may be called from any thread.
class Scheduler {
 public:
  // What it stands on; all of it outlives it, and it alone listens to `feedback` and `leads`.
  struct World {
    store::Store& store;
    queue::Queues& queues;
    Feedback& feedback;
    Leads& leads;
    const LiveSources& live;
    const NodeLease& node;
    KeyRing& keys;
    const Clock& clock;
    const Options& options;
    Metrics& metrics;
  };
  Scheduler(const World& world, async::Executor executor);
  ~Scheduler();

  void start();
  // Rings no more. Returns when nothing of it runs.
  Task<void> stop();

  // Something changed in the store that may be due now.
  void wake();

 private:
  Task<void> run();
  // False while another leads.
  bool may_go_on();
  Task<Result<void>> start_due();
  Task<Result<void>> begin(store::StartingDelivery starting);
  Task<Result<void>> lapse(const store::Delivery& delivery);
  Task<void> pass();
  // When the next pass is due.
  Task<SteadyInstant> next_wake();
  void take_messages();
  void notify();

  store::Store& store_;
  Feedback& feedback_;
  Leads& leads_;
  KeyRing& keys_;
  const Clock& clock_;
  const Options& options_;
  Dispatcher dispatcher_;
  NodeWatcher nodes_;
  StepReports steps_;
  bool led_ = false;

  std::mutex mutex_;  // guards the two below
  bool woken_ = false;
  bool posted_ = false;

  Counter& passes_total_;
  async::Executor executor_;
  async::Signal signal_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery::scheduler
