// SPDX-License-Identifier: Apache-2.0
// The queue of one node as it is between machines: bells are lost, come late, come twice, and come
// to others as well (queue/queue.h allows all of it).
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "async/task_group.h"
#include "async/timer.h"
#include "base/random.h"
#include "queue/embedded/memory_queue.h"
#include "sim/scenario.h"

namespace todoku::sim {

// Lives on `executor`, where the scheduler rings.
class UnreliableQueues final : public queue::Queues {
 public:
  // Brings a bell to some other node.
  using Stray = std::function<void(const queue::Channel&, const queue::Bell&)>;

  UnreliableQueues(const BellScript& script, std::uint64_t seed, Stray stray, const Clock& clock,
                   async::Executor executor)
      : script_(script),
        random_(seed),
        stray_(std::move(stray)),
        inner_(queue::MemoryQueue::Options{}, clock),
        late_(std::move(executor)) {}

  Task<Result<std::shared_ptr<queue::Queue>>> open(queue::Channel channel) override {
    co_return std::make_shared<Unreliable>(*this, channel, inner_.get(channel));
  }
  [[nodiscard]] std::shared_ptr<queue::MemoryQueue> get(const queue::Channel& channel) {
    return inner_.get(channel);
  }
  Task<void> stop() { return late_.stop(); }

 private:
  class Unreliable final : public queue::Queue {
   public:
    Unreliable(UnreliableQueues& owner, queue::Channel channel,
               std::shared_ptr<queue::MemoryQueue> inner)
        : owner_(owner), channel_(std::move(channel)), inner_(std::move(inner)) {}

    Task<Result<void>> send(std::vector<queue::Bell> bells) override {
      std::vector<queue::Bell> at_once;
      for (const queue::Bell& bell : bells) owner_.pass_on(channel_, inner_, bell, at_once);
      if (at_once.empty()) co_return Result<void>();
      co_return co_await inner_->send(std::move(at_once));
    }
    Task<Result<std::vector<queue::ReceivedBell>>> receive(std::size_t max,
                                                           Milliseconds wait) override {
      return inner_->receive(max, wait);
    }
    Task<Result<void>> acknowledge(std::vector<queue::Receipt> receipts) override {
      return inner_->acknowledge(std::move(receipts));
    }
    Task<Result<void>> release(std::vector<queue::Receipt> receipts, Milliseconds delay) override {
      return inner_->release(std::move(receipts), delay);
    }
    Task<Result<queue::Depth>> depth() override { return inner_->depth(); }

   private:
    UnreliableQueues& owner_;
    const queue::Channel channel_;
    const std::shared_ptr<queue::MemoryQueue> inner_;
  };

  [[nodiscard]] bool happens(double share) { return share > 0 && random_.unit() < share; }

  void pass_on(const queue::Channel& channel, const std::shared_ptr<queue::MemoryQueue>& to,
               const queue::Bell& bell, std::vector<queue::Bell>& at_once) {
    if (happens(script_.strayed)) stray_(channel, bell);
    if (happens(script_.repeated)) ring_later(to, bell);
    if (happens(script_.lost)) return;
    if (happens(script_.late)) {
      ring_later(to, bell);
    } else {
      at_once.push_back(bell);
    }
  }
  void ring_later(const std::shared_ptr<queue::MemoryQueue>& to, const queue::Bell& bell) {
    const auto most = static_cast<std::uint64_t>(script_.late_by.count());
    late_.spawn("late bell", ring(to, bell, Microseconds(random_.below(most))));
  }
  static Task<void> ring(std::shared_ptr<queue::MemoryQueue> to, queue::Bell bell,
                         Microseconds after) {
    const bool awake = co_await async::sleep_for(after);
    if (!awake) co_return;
    std::vector<queue::Bell> bells{bell};
    (void)co_await to->send(std::move(bells));
  }

  const BellScript script_;
  SeededRandom random_;
  const Stray stray_;
  queue::MemoryQueues inner_;
  async::TaskGroup late_;
};

}  // namespace todoku::sim
