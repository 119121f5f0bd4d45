// SPDX-License-Identifier: Apache-2.0
// The queue within one process: bells in memory.
//
// They are not written to disk, and that loses nothing: the store, which is, knows every batch that
// is due. When the process dies, so do its couriers, the only ones who could have heard; at the
// next start the scheduler reads from the store what is due and rings again. A durable copy of the
// bell would cost a sync for each batch and could only repeat what the store says, or contradict
// it.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "async/timer.h"
#include "base/clock.h"
#include "queue/embedded/bell_ledger.h"
#include "queue/queue.h"

namespace todoku::queue {

// See Queue for what the members mean. Receivers are woken when a bell is sent, released, or ends
// its visibility. The queue must outlive every task that waits in it.
class MemoryQueue final : public Queue {
 public:
  struct Options {
    std::size_t capacity = 100'000;  // bells in any state; about 200 octets each
    Milliseconds visibility{std::chrono::seconds(60)};
  };

  // `clock` must outlive the queue.
  MemoryQueue(Options options, const Clock& clock);
  ~MemoryQueue() override;
  MemoryQueue(const MemoryQueue&) = delete;
  MemoryQueue& operator=(const MemoryQueue&) = delete;

  Task<Result<void>> send(std::vector<Bell> bells) override;
  Task<Result<std::vector<ReceivedBell>>> receive(std::size_t max, Milliseconds wait) override;
  Task<Result<void>> acknowledge(std::vector<Receipt> receipts) override;
  Task<Result<void>> release(std::vector<Receipt> receipts, Milliseconds delay) override;
  Task<Result<Depth>> depth() override;

  // From now on send and receive fail with `closed`, receivers that wait at once. Bells that are
  // held can still be acknowledged. Thread-safe.
  void close();

  // Lets every waiting receiver look at the clock again: to be called after a clock that does not
  // run by itself was moved. Thread-safe.
  void wake_receivers();

 private:
  struct Waiter;
  class Waiting;
  enum class Stand : std::uint8_t { received, over, wait };

  // One look at the ledger; for Stand::wait, `waiter` is armed and will be woken.
  Stand look(std::size_t max, SteadyInstant deadline, const std::shared_ptr<Waiter>& waiter,
             Result<std::vector<ReceivedBell>>& result);
  void wake_all_locked();

  const Clock& clock_;
  std::mutex mutex_;
  BellLedger ledger_;
  std::list<std::shared_ptr<Waiter>> waiters_;
  bool closed_ = false;
};

class MemoryQueues final : public Queues {
 public:
  MemoryQueues(MemoryQueue::Options options, const Clock& clock)
      : options_(options), clock_(clock) {}

  Task<Result<std::shared_ptr<Queue>>> open(Channel channel) override;
  // The same without waiting.
  [[nodiscard]] std::shared_ptr<MemoryQueue> get(const Channel& channel);
  // Closes all queues opened so far.
  void close();

 private:
  const MemoryQueue::Options options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<Channel, std::shared_ptr<MemoryQueue>> queues_;
};

}  // namespace todoku::queue
