// SPDX-License-Identifier: Apache-2.0
// This process as a node of the store (store/nodes.h): enters, renews its lease, and says whether
// something may be begun now. After a lapse nothing is until the store has confirmed what is still
// held, and what was lost is told to its holder; after a death that the store believes in, the node
// enters anew and everything is lost.
//
// A node that must be alone (store::NewNode) waits until others are known to be gone
// (policy/sole_watch.h), before it enters and before it enters anew: who lost its lease to another
// holds nothing, begins nothing, and tries again.
//
// Each minute, and more often for a while after the store could not say whether something is
// stored, it asks the store what it holds: what nobody here has in hand was leased by an answer
// that never came (forgotten.h), and is given back.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "async/callback.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/forgotten.h"
#include "delivery/node_lease.h"
#include "delivery/policy/lease_life.h"
#include "delivery/policy/sole_watch.h"
#include "store/store.h"

namespace todoku::delivery {

// Who has batches in hand. Members are called on any thread.
class BatchHolder {
 public:
  virtual ~BatchHolder() = default;
  [[nodiscard]] virtual std::vector<store::HeldBatch> held() = 0;
  // Nothing more of these is begun. Returns how many of them are still held: others are over.
  virtual std::size_t lost(const std::vector<store::HeldBatch>& batches) = 0;
  // Of these those that nobody has in hand.
  [[nodiscard]] virtual std::vector<store::HeldBatch> not_in_hand(
      const std::vector<store::HeldBatch>& batches) = 0;
  // The same; and should one of them come into somebody's hand after all, nothing of it is begun.
  [[nodiscard]] virtual std::vector<store::HeldBatch> forget(
      const std::vector<store::HeldBatch>& batches) = 0;
  // What was forgotten is due again: whoever schedules is to know.
  virtual void given_back(const std::vector<store::HeldBatch>& batches) = 0;
  // The lease holds (again).
  virtual void may_begin_again() = 0;
};

class Node : public NodeLease {
 public:
  // Lives on `executor`. Everything given outlives it.
  Node(store::Store& store, const Clock& clock, store::NewNode who, Metrics& metrics,
       async::Executor executor);

  // At any time, from any thread: until then nothing is held.
  void set_holder(BatchHolder& holder) { holder_ = &holder; }

  // Enters the store, once; for who wants to know whether that works. start() does it otherwise.
  // Who must be alone is told conflict when another is seen to live, after a while at most;
  // cancelled when `give_up` says so.
  Task<Result<void>> enter(std::function<bool()> give_up = {});
  // Keeps the lease from now on.
  void start();
  // Renews no more. What is held stays held until leave() or the end of the lease.
  Task<void> stop();
  // After stop(): nothing is held any more, and nobody need wait for the end of the lease.
  Task<void> leave();

  [[nodiscard]] store::NodeKey key() const override { return store::NodeKey{key_.load()}; }
  [[nodiscard]] bool holds() const override {
    return clock_.steady_now().time_since_epoch().count() < until_us_.load();
  }
  void renew_soon() override;
  // The executor's thread: returns when the lease holds; false if it never will again.
  Task<bool> held();
  // The executor's thread: one look for what was forgotten. start() has it done regularly.
  virtual Task<Result<void>> look_for_forgotten();

 private:
  Task<void> run();
  Task<bool> renew();
  Task<Result<void>> take_key();
  Task<Result<void>> look_for_others();
  Task<Result<void>> confirm();
  Task<void> keep_looking();
  Task<Result<void>> give_back(std::vector<store::HeldBatch> forgotten);
  void hold(SteadyInstant asked);

  store::Store& store_;
  const Clock& clock_;
  store::NewNode who_;  // once it has entered, who else has its name is another
  policy::SoleWatch others_{store::kNodeLease};
  bool waiting_ = false;  // until it is known whether it is alone
  std::atomic<BatchHolder*> holder_{nullptr};
  policy::LeaseLife life_;
  bool entered_ = false;   // at least once
  bool in_doubt_ = false;  // the lease lapsed, and what is held is not confirmed yet
  Trouble renewing_{log::Level::error, "lease of this process not renewed; mail stops when it ends",
                    "lease of this process renewed again"};
  bool stopping_ = false;
  Forgotten forgotten_;
  std::uint64_t doubts_ = 0;        // that the store has told so far
  SteadyInstant watchful_until_{};  // after one
  std::atomic<std::int64_t> key_{0};
  std::atomic<std::int64_t> until_us_{0};  // of the steady clock; what holds() goes by
  Counter& lapses_total_;
  Counter& lost_total_;
  Counter& forgotten_total_;
  async::Executor executor_;
  async::Signal wake_;   // the lease holds
  async::Signal renew_;  // it is to be renewed now
  async::Signal look_;   // something may have been forgotten
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery
