// SPDX-License-Identifier: Apache-2.0
// The scheduler's loop: starts deliveries at their time and lets the dispatcher make a pass when
// there is something to be offered. Losing it loses nothing: the store says what is due.
//
//   store: deliveries_to_start ──> Scheduler ──pass──> Dispatcher ──bells──> queue
//                                      ^
//                                      └── couriers (progressed), lanes (site_rests), intake (wake)
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/key_ring.h"
#include "delivery/options.h"
#include "delivery/progress.h"
#include "delivery/scheduler/dispatcher.h"
#include "delivery/scheduler/step_reports.h"
#include "queue/queue.h"
#include "store/store.h"

namespace todoku::delivery::scheduler {

// Lives on one executor. progressed(), site_rests() and wake() may be called from any thread.
class Scheduler final : public ProgressListener {
 public:
  Scheduler(store::Store& store, queue::Queues& queues, KeyRing& keys, const Clock& clock,
            const Options& options, Metrics& metrics, Dispatcher::SiteOf site_of,
            async::Executor executor);

  void start();
  // Rings no more. Returns when nothing of it runs.
  Task<void> stop();

  // Something changed in the store that may be due now.
  void wake();
  void progressed(std::vector<BatchProgress> progress) override;
  void site_rests(std::string site, SteadyInstant until);

 private:
  Task<void> run();
  Task<Result<void>> start_due();
  Task<Result<void>> begin(store::Delivery delivery);
  // When the next pass is due, after one that began at `passed`.
  Task<SteadyInstant> next_wake(Instant passed);
  void take_messages();

  store::Store& store_;
  KeyRing& keys_;
  const Clock& clock_;
  const Options& options_;
  Dispatcher dispatcher_;

  StepReports steps_;

  std::mutex mutex_;  // guards the four below
  std::vector<BatchProgress> progress_;
  std::vector<std::pair<std::string, SteadyInstant>> rests_;
  bool woken_ = false;
  bool posted_ = false;

  Counter& passes_total_;
  async::Executor executor_;
  async::Signal signal_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery::scheduler
