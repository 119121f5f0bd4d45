// SPDX-License-Identifier: Apache-2.0
// What is this queue's own; what every queue does is in tests/conformance/queue.
#include "queue/embedded/memory_queue.h"

#include <atomic>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "async/task_group.h"

namespace todoku::queue {
namespace {

constexpr Milliseconds kAtOnce{0};

Task<void> receive_into(MemoryQueue& queue, Milliseconds wait, ErrorKind& error) {
  const auto received = co_await queue.receive(1, wait);
  if (!received) error = received.error().kind;
}

Task<void> close_while_waiting(MemoryQueue& queue, ErrorKind& waiting, ErrorKind& later,
                               bool& sent) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn("receiver", receive_into(queue, kWaitMax, waiting));
  co_await async::sleep_for(Microseconds(0));
  queue.close();
  co_await group.wait_empty();
  co_await receive_into(queue, kAtOnce, later);
  const auto result = co_await queue.send(std::vector<Bell>(1));
  sent = result.has_value();
}

TEST(MemoryQueue, ClosingEndsReceiversAndRefusesBells) {
  const FakeClock clock;
  MemoryQueue queue({}, clock);
  ErrorKind waiting{};
  ErrorKind later{};
  bool sent = true;
  async::run_to_completion(close_while_waiting(queue, waiting, later, sent));
  EXPECT_EQ(waiting, ErrorKind::closed);
  EXPECT_EQ(later, ErrorKind::closed);
  EXPECT_FALSE(sent);
}

// A receiver whose thread is torn down while it waits leaves nothing behind.
TEST(MemoryQueue, ForgetsAReceiverWhoseFrameIsDestroyed) {
  const FakeClock clock;
  MemoryQueue queue({}, clock);
  ErrorKind error{};
  {
    boost::asio::io_context context;
    boost::asio::co_spawn(context.get_executor(), receive_into(queue, kWaitMax, error),
                          [](const std::exception_ptr&) {});
    context.poll();
  }
  queue.wake_receivers();
}

Task<void> read_ages(MemoryQueue& queue, FakeClock& clock, std::vector<Milliseconds>& ages) {
  co_await queue.send(std::vector<Bell>(1));
  clock.advance(std::chrono::seconds(5));
  const auto ready = co_await queue.depth();
  ages.push_back(ready->oldest_ready_age.value_or(Milliseconds(-1)));
  co_await queue.receive(1, kAtOnce);
  const auto held = co_await queue.depth();
  ages.push_back(held->oldest_ready_age.value_or(Milliseconds(-1)));
}

TEST(MemoryQueue, TellsHowLongTheOldestBellIsReady) {
  FakeClock clock;
  MemoryQueue queue({}, clock);
  std::vector<Milliseconds> ages;
  async::run_to_completion(read_ages(queue, clock, ages));
  EXPECT_EQ(ages, (std::vector<Milliseconds>{Milliseconds(5'000), Milliseconds(-1)}));
}

TEST(MemoryQueues, HaveOneQueueForEachSourceAndClass) {
  const FakeClock clock;
  MemoryQueues queues({}, clock);
  const auto one = queues.get({.source = "a", .traffic = TrafficClass::bulk});
  EXPECT_EQ(one, queues.get({.source = "a", .traffic = TrafficClass::bulk}));
  EXPECT_NE(one, queues.get({.source = "a", .traffic = TrafficClass::transactional}));
  EXPECT_NE(one, queues.get({.source = "b", .traffic = TrafficClass::bulk}));
}

struct Tally {
  std::mutex mutex;
  std::multiset<std::uint32_t> received;
  std::atomic<std::uint32_t> left;
};

Task<void> produce(MemoryQueue& queue, std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    std::vector<Bell> bells;
    bells.push_back({.batch = first + i});
    for (;;) {
      const auto sent = co_await queue.send(bells);
      if (sent) break;
      co_await async::sleep_for(Microseconds(50));  // full
    }
  }
}

Task<void> consume(MemoryQueue& queue, Tally& tally) {
  for (;;) {
    const auto received = co_await queue.receive(7, kWaitMax);
    if (!received) co_return;  // closed
    for (const ReceivedBell& one : *received) {
      std::vector<Receipt> receipts(1, one.receipt);
      co_await queue.acknowledge(std::move(receipts));
      {
        const std::lock_guard lock(tally.mutex);
        tally.received.insert(one.bell.batch);
      }
      if (tally.left.fetch_sub(1) == 1) queue.close();
    }
  }
}

TEST(MemoryQueue, LosesNothingBetweenManyThreads) {
  constexpr std::uint32_t kEach = 2'000;
  constexpr std::uint32_t kProducers = 2;
  const SystemClock clock;
  MemoryQueue queue({.capacity = 64, .visibility = std::chrono::hours(1)}, clock);
  Tally tally;
  tally.left = kEach * kProducers;
  async::Runtime runtime(4);
  for (std::uint32_t i = 0; i < kProducers; ++i) {
    boost::asio::co_spawn(runtime.executor(i), produce(queue, i * kEach, kEach),
                          [](const std::exception_ptr& e) { EXPECT_FALSE(e); });
    boost::asio::co_spawn(runtime.executor(kProducers + i), consume(queue, tally),
                          [](const std::exception_ptr& e) { EXPECT_FALSE(e); });
  }
  runtime.start();
  runtime.join();
  EXPECT_EQ(tally.received.size(), kEach * kProducers);
  EXPECT_EQ(std::set(tally.received.begin(), tally.received.end()).size(), kEach * kProducers);
}

}  // namespace
}  // namespace todoku::queue
