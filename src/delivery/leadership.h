// SPDX-License-Identifier: Apache-2.0
// Whether this process's scheduler is the one that schedules: of a cluster's schedulers one leads
// (store/cluster.h). policy/reign.h decides; here the store is asked and told.
//
// A leader renews every 2 s and stops by its own steady clock 2 s before the store lets it lapse,
// whatever becomes of the store. The others look every second, and one takes over when it was given
// up, or was not renewed for a whole 8 s of their own steady clocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/node_lease.h"
#include "delivery/policy/reign.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe.
class Leads {
 public:
  virtual ~Leads() = default;
  [[nodiscard]] virtual bool leads() const = 0;
  // `changed` is called after leads() has changed, on any thread, and must not block. An end that
  // comes with the time is told when it is noticed: whoever begins something asks leads(). Set
  // before anything runs; an empty one ends it, and is not called any more after that.
  virtual void listen(std::function<void()> changed) = 0;
};

// The only scheduler there is.
class AlwaysLeads final : public Leads {
 public:
  [[nodiscard]] bool leads() const override { return true; }
  void listen(std::function<void()> /*changed*/) override {}
};

class Leadership final : public Leads {
 public:
  // Lives on `executor`. Everything given outlives it.
  Leadership(store::Store& store, const NodeLease& node, const Clock& clock, Metrics& metrics,
             async::Executor executor);

  // Tries to lead from now on.
  void start();
  // Leads no more and hands over, so that another may begin at once. What the scheduler does must
  // have ended before. On the executor, once; before the node leaves.
  Task<void> stop();

  [[nodiscard]] bool leads() const override {
    // In this order: whoever is another node than began to lead has no time left by now.
    return node_.key() == store::NodeKey{as_.load()} &&
           clock_.steady_now().time_since_epoch().count() < until_us_.load();
  }
  void listen(std::function<void()> changed) override;

 private:
  Task<void> run();
  Task<Result<void>> turn();
  Task<Result<void>> lead(store::NodeKey itself, std::optional<Instant> known);
  void publish(store::NodeKey as);

  store::Store& store_;
  const NodeLease& node_;
  const Clock& clock_;
  policy::Reign reign_{store::kLeadership};
  bool led_ = false;  // as the listener knows it
  bool stopping_ = false;
  Trouble asking_{log::Level::warning, "the store cannot be asked who leads the schedulers",
                  "the store can be asked again who leads the schedulers"};
  std::atomic<std::int64_t> until_us_{0};  // of the steady clock; what leads() goes by
  std::atomic<std::int64_t> as_{0};        // which node leads, or would
  std::mutex mutex_;                       // guards what follows; held while it is called
  std::function<void()> changed_;
  Counter& reigns_total_;
  Gauge& leads_gauge_;
  async::Executor executor_;
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery
