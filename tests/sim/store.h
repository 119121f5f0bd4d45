// SPDX-License-Identifier: Apache-2.0
// A store with a bad disk in front of a good one. Work reaches the store below as a whole and in a
// known order, each piece while the simulation stands still; what is simulated is how long it
// takes, that commits are refused for a while, that work is run, undone and run again, and that the
// news of a commit is lost with the process that waits for it.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "async/task_group.h"
#include "async/timer.h"
#include "base/random.h"
#include "sim/clock.h"
#include "sim/memory_store.h"
#include "sim/scenario.h"
#include "sim/trace.h"
#include "store/store.h"

namespace todoku::sim {

// What lasts longer than one run of the engine.
struct Disk {
  MemoryStore& store;
  const StoreScript& script;
  SeededRandom random;
  Microseconds full_until{};  // since the beginning of the simulation
  Microseconds slow_until{};
  Microseconds slow_commit{};
};

// One run's view of the disk. Everything on one executor, and so are the callbacks.
class FaultyStore final : public store::Store {
 public:
  FaultyStore(Disk& disk, async::Executor executor, const SimClock& clock, Trace& trace);

  void submit_write(store::WritePriority priority, store::WriteWork work,
                    store::Done done) override;
  void submit_read(store::ReadWork work, store::Done done) override;
  [[nodiscard]] store::StoreFigures figures() const override { return {}; }
  void close() override {}

  // The process died: what was not committed never will be. Who waits is told so.
  void die();
  // Ends the writer.
  Task<void> stop() { return tasks_.stop(); }

 private:
  struct Piece {
    store::WriteWork work;
    store::Done done;
    Result<void> result;
  };

  Task<void> write_groups();
  Task<void> answer_later(store::Done done, Result<void> result, Microseconds after);
  void commit(std::vector<Piece>& group);
  [[nodiscard]] Result<void> perform(store::WriteWork& work, bool undo);
  [[nodiscard]] bool refuses();

  Disk& disk_;
  const SimClock& clock_;
  Trace& trace_;
  std::array<std::deque<Piece>, store::kWritePriorities> queues_;
  bool dead_ = false;
  async::Signal filled_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::sim
