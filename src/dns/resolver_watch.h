// SPDX-License-Identifier: Apache-2.0
// Watches over our own resolver while mail is sent: has it checked when resolver_health.h says so,
// lets look-ups wait for a check that concerns them, and tells people when the resolver cannot be
// believed and when it can be again.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "async/callback.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "dns/mail_route.h"
#include "dns/resolver_health.h"

namespace todoku::dns {

// Thread-safe. It outlives every task that waits in it.
class ResolverWatch {
 public:
  using Check = std::function<Task<CheckFinding>()>;

  // Checks run on `executor`'s thread, one at a time. `clock` and `metrics` outlive the watch.
  ResolverWatch(const ResolverHealth::Options& options, Check check, async::Executor executor,
                const Clock& clock, Metrics& metrics);
  ResolverWatch(const ResolverWatch&) = delete;
  ResolverWatch& operator=(const ResolverWatch&) = delete;

  // Called, on `executor`'s thread, when what was learnt from the resolver must not be used any
  // longer. Set before start().
  void on_answers_void(std::function<void()> forget) { forget_ = std::move(forget); }

  // Begins with a first check.
  void start();
  // Ends a running check; who waits is told that the resolver is in doubt.
  Task<void> stop();

  // The answer about `domain`, which was looked up from `asked` on, if it can be believed;
  // otherwise an Unroutable that is temporary and `ours`. May wait for a check: seconds.
  Task<RouteAnswer> believed(std::string domain, SteadyInstant asked, RouteAnswer answer);

  // For readiness: what the last check found, or a new one if that is long ago. Lasts no longer
  // than a check.
  Task<Result<void>> ready();

 private:
  using Ruling = ResolverHealth::Ruling;

  // What the answer rests on, and so what must be known to believe it.
  [[nodiscard]] Ruling rule_locked(const RouteAnswer& answer, SteadyInstant asked,
                                   SteadyInstant answered) const;
  Task<void> check_ended();
  Task<void> run();
  void finish(CheckFinding finding);
  void tell(ResolverHealth::Change change, const std::string& problem) const;
  void wake();
  void release_waiters(std::unique_lock<std::mutex> lock);

  const ResolverHealth::Options options_;
  const Check check_;
  async::Executor executor_;
  const Clock& clock_;
  std::function<void()> forget_;
  Gauge& trusted_gauge_;
  Counter& passed_;
  Counter& failed_;
  Counter& unanswered_;
  Counter& doubted_;

  mutable std::mutex mutex_;
  ResolverHealth health_;
  std::vector<async::Callback<bool>> waiting_;  // for the end of the next check
  bool stopped_ = true;                         // not started, or stopped

  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::dns
