// SPDX-License-Identifier: Apache-2.0
// A store with a bad disk in front of a good one. Work reaches the store below as a whole and in a
// known order, each piece while the simulation stands still; what is simulated is how long it
// takes, that commits are refused for a while, that work is run, undone and run again, and that the
// news of a commit is lost with the process that waits for it.
#pragma once

#include <array>
#include <cstdint>
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
  bool token_checked = true;
  bool way_remembered = true;
  Faults faults{};
  Microseconds full_until{};  // since the beginning of the simulation
  Microseconds slow_until{};
  Microseconds slow_commit{};
};

// One run's view of the disk. Everything on one executor, and so are the callbacks.
class FaultyStore final : public store::Store {
 public:
  FaultyStore(Disk& disk, async::Executor executor, const SimClock& clock, Trace& trace);

  void submit(store::Accept accept, store::Answered<store::Accept> done) override;
  void submit(store::Settle settle, store::Answered<store::Settle> done) override;
  void submit(store::Claim claim, store::Answered<store::Claim> done) override;
  void submit(store::StageRows stage, store::Answered<store::StageRows> done) override;
  void submit(store::Due due, store::Answered<store::Due> done) override;
  void submit(store::BellWork work, store::Answered<store::BellWork> done) override;
  void submit_write(store::WritePriority priority, store::WriteWork work,
                    store::Done done) override;
  void submit_read(store::ReadWork work, store::Done done) override;
  [[nodiscard]] store::StoreFigures figures() const override { return {.doubts = doubts_}; }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  void close() override {}

  // The process died: what was not committed never will be. Who waits is told so.
  void die();
  // This process does not reach the store until then, since the beginning of the simulation.
  void away_until(Microseconds until) { away_until_ = until; }
  // Ends the writer.
  Task<void> stop() { return tasks_.stop(); }

 private:
  using Work = std::move_only_function<Result<void>(store::sqlite::SqliteWriteTransaction&)>;
  struct Piece {
    Work work;
    store::Done done;
    Result<void> result;
  };

  void enqueue(store::WritePriority priority, Work work, store::Done done);
  // An operation as a piece of work that may be run, undone and run again.
  template <class Op>
  void perform(store::WritePriority priority, Op op, store::Answered<Op> done);

  Task<void> write_groups();
  Task<void> answer_later(store::Done done, Result<void> result, Microseconds after);
  void commit(std::vector<Piece>& group);
  [[nodiscard]] Result<void> run(Work& work, bool undo);
  // What stands in an operation instead of what was handed in.
  struct Forged {
    std::vector<store::BatchRelease> releases;
    std::vector<store::OutcomeRecord> outcomes;
  };
  // Before an operation is performed, without a safeguard or with a fault.
  template <class Op>
  void falsify(Op&, Forged&) {}
  void falsify(store::Settle& settle, Forged& forged);
  // What is answered, with a fault.
  template <class Answer>
  void falsify_answer(Answer&) {}
  void falsify_answer(store::Claimed& claimed);
  // Whether a refused commit of this priority is told as if it had been done.
  [[nodiscard]] bool lies(std::size_t priority) const;
  [[nodiscard]] bool refuses();
  [[nodiscard]] bool is_away() const { return clock_.elapsed() < away_until_; }

  Disk& disk_;
  const SimClock& clock_;
  Trace& trace_;
  std::array<std::deque<Piece>, store::kWritePriorities> queues_;
  bool dead_ = false;
  std::uint64_t doubts_ = 0;
  Microseconds away_until_{};
  async::Signal filled_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::sim
