// SPDX-License-Identifier: Apache-2.0
// The other side of intake: what becomes of a transaction that was accepted in this process.
//
//   this process sends from every source that lives    it holds it, and has it in memory
//   of several processes, others send                  a bell for their couriers, after the commit;
//                                                      it is due for the scheduler 5 s later
//   else                                               due at once: the scheduler finds it
//
// A bell is rung for each batch, not for each recipient. One that is not heard, or not rung because
// too many wait, costs those 5 s.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/sending.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/key_ring.h"
#include "delivery/live_sources.h"
#include "delivery/policy/pools.h"
#include "delivery/pool_choice.h"
#include "intake/intake.h"
#include "queue/queue.h"

namespace todoku::app {

class PassingOn final : public intake::Handover {
 public:
  // How long a rung batch is left to who hears it.
  static constexpr Milliseconds kHeardWithin = std::chrono::seconds(5);
  // Bells that wait to be rung.
  static constexpr std::size_t kBellsMax = 10'000;

  struct World {
    delivery::KeyRing& keys;
    const Clock& clock;
    Metrics& metrics;
    Milliseconds life_time{};            // of transactions
    Sending* sending = nullptr;          // of this process; nullptr: it does not send
    std::function<void()> work_arrived;  // tells the scheduler of this process; may be empty
    std::function<Task<void>()> courses_changed = {};  // tells its couriers; may be empty
    queue::Queues* queues = nullptr;                   // nullptr: nobody is rung for
    const delivery::LiveSources* live = nullptr;       // with them
    delivery::policy::Pools pools = {};                // which of them sends transactions
    store::Store* store = nullptr;                     // names of accounts; else no rule is asked
  };
  // Lives on `executor`. Everything given outlives it.
  PassingOn(World world, async::Executor executor);

  void start();
  // Rings what waits, until `deadline` at most. On its executor.
  Task<void> stop(SteadyInstant deadline);

  // intake::Handover
  [[nodiscard]] std::string signing_for(store::AccountKey account,
                                        std::string_view from_domain) override;
  [[nodiscard]] Milliseconds life_time() const override { return world_.life_time; }
  [[nodiscard]] store::NodeKey holder(store::AccountKey account) override;
  [[nodiscard]] Milliseconds due_in() const override;
  void hand_over(store::Accepted accepted) override;
  void work_arrived() override;
  Task<void> courses_changed() override;

 private:
  using BellsBySource = std::map<std::string, std::vector<queue::Bell>>;

  void ring_for(const store::Accepted& accepted);
  Task<void> run();
  Task<void> ring_all();
  Task<Result<void>> ring(std::string source, std::vector<queue::Bell> bells);

  const World world_;
  std::optional<delivery::PoolChoice> pool_choice_;  // where somebody is rung for
  std::mutex mutex_;                                 // guards what follows, up to the blank line
  BellsBySource waiting_;
  std::size_t waiting_count_ = 0;
  bool posted_ = false;

  Trouble ringing_{log::Level::warning,
                   "couriers not told of what was accepted; the scheduler finds it seconds later",
                   "couriers are told of what was accepted again"};
  Counter& rung_total_;
  Counter& left_total_;
  async::Executor executor_;
  async::Signal something_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
