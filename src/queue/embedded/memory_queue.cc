// SPDX-License-Identifier: Apache-2.0
#include "queue/embedded/memory_queue.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/check.h"

namespace todoku::queue {

// One wait of one receiver, on the receiver's own thread: others may only post to it.
struct MemoryQueue::Waiter {
  explicit Waiter(const async::Executor& on) : executor(on), timer(on) {}
  async::Executor executor;
  async::SteadyTimer timer;
};

// Keeps a waiter in the list as long as its receiver's frame lives, however that ends.
class MemoryQueue::Waiting {
 public:
  Waiting(MemoryQueue& queue, const async::Executor& executor)
      : queue_(queue), waiter_(std::make_shared<Waiter>(executor)) {}
  ~Waiting() {
    const std::lock_guard lock(queue_.mutex_);
    std::erase(queue_.waiters_, waiter_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  [[nodiscard]] const std::shared_ptr<Waiter>& waiter() const { return waiter_; }

 private:
  MemoryQueue& queue_;
  std::shared_ptr<Waiter> waiter_;
};

MemoryQueue::MemoryQueue(Options options, const Clock& clock)
    : clock_(clock), ledger_(options.capacity, std::min(options.visibility, kVisibilityMax)) {}

MemoryQueue::~MemoryQueue() {
  check(waiters_.empty(), "a queue outlives its receivers");
}

Task<Result<void>> MemoryQueue::send(std::vector<Bell> bells) {
  const std::lock_guard lock(mutex_);
  if (closed_) co_return fail(ErrorKind::closed, "the queue is closed");
  if (!ledger_.send(bells, clock_.steady_now())) {
    co_return fail(ErrorKind::unavailable, "the queue is full");
  }
  wake_all_locked();
  co_return Result<void>();
}

Task<Result<std::vector<ReceivedBell>>> MemoryQueue::receive(std::size_t max, Milliseconds wait) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const SteadyInstant deadline = clock_.steady_now() + std::clamp(wait, Milliseconds(0), kWaitMax);
  for (;;) {
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
      co_return fail(ErrorKind::cancelled, "stopped while waiting for the queue");
    }
    const Waiting waiting(*this, executor);
    Result<std::vector<ReceivedBell>> result;
    if (look(max, deadline, waiting.waiter(), result) != Stand::wait) co_return result;
    // Whether the time is over or somebody woke us is for the next look to say.
    [[maybe_unused]] const auto [error] =
        co_await waiting.waiter()->timer.async_wait(async::as_result);
  }
}

MemoryQueue::Stand MemoryQueue::look(std::size_t max, SteadyInstant deadline,
                                     const std::shared_ptr<Waiter>& waiter,
                                     Result<std::vector<ReceivedBell>>& result) {
  const std::lock_guard lock(mutex_);
  if (closed_) {
    result = fail(ErrorKind::closed, "the queue is closed");
    return Stand::over;
  }
  const SteadyInstant now = clock_.steady_now();
  *result = ledger_.receive(max, now);
  if (!result->empty()) return Stand::received;
  if (now >= deadline || max == 0) return Stand::over;
  const SteadyInstant until = std::min(deadline, ledger_.next_ready_at().value_or(deadline));
  // A span and not an instant: the injected clock's zero is its own.
  waiter->timer.expires_after(until - now);
  waiters_.push_back(waiter);
  return Stand::wait;
}

Task<Result<void>> MemoryQueue::acknowledge(std::vector<Receipt> receipts) {
  const std::lock_guard lock(mutex_);
  for (const Receipt& receipt : receipts) ledger_.acknowledge(receipt);
  co_return Result<void>();
}

Task<Result<void>> MemoryQueue::release(std::vector<Receipt> receipts, Milliseconds delay) {
  const std::lock_guard lock(mutex_);
  const SteadyInstant now = clock_.steady_now();
  for (const Receipt& receipt : receipts) ledger_.release(receipt, delay, now);
  wake_all_locked();
  co_return Result<void>();
}

Task<Result<Depth>> MemoryQueue::depth() {
  const std::lock_guard lock(mutex_);
  co_return ledger_.depth(clock_.steady_now());
}

void MemoryQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake_all_locked();
}

void MemoryQueue::wake_receivers() {
  const std::lock_guard lock(mutex_);
  wake_all_locked();
}

// All of them: receivers are as few as couriers, and the first to look takes what there is.
void MemoryQueue::wake_all_locked() {
  for (const std::shared_ptr<Waiter>& waiter : waiters_) {
    // Runs after the receiver has begun its wait, which follows look() without a pause.
    boost::asio::post(waiter->executor, [waiter] { waiter->timer.cancel(); });
  }
  waiters_.clear();
}

Task<Result<std::shared_ptr<Queue>>> MemoryQueues::open(Channel channel) {
  co_return get(channel);
}

std::shared_ptr<MemoryQueue> MemoryQueues::get(const Channel& channel) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<MemoryQueue>& queue = queues_[channel];
  if (!queue) queue = std::make_shared<MemoryQueue>(options_, clock_);
  return queue;
}

void MemoryQueues::close() {
  const std::lock_guard lock(mutex_);
  for (const auto& [channel, queue] : queues_) queue->close();
}

}  // namespace todoku::queue
