// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "queue/embedded/memory_queue.h"
#include "queue_conformance.h"

namespace todoku::queue {
namespace {

class MemoryHarness {
 public:
  static constexpr bool kBounded = true;
  static constexpr bool kRepeats = true;
  static constexpr bool kReceiptsExpire = true;

  std::shared_ptr<Queue> make(std::size_t capacity) {
    queue_ = std::make_shared<MemoryQueue>(
        MemoryQueue::Options{.capacity = capacity, .visibility = visibility()}, clock_);
    return queue_;
  }
  [[nodiscard]] Milliseconds patience() const { return kAtOnce; }
  [[nodiscard]] Milliseconds visibility() const { return std::chrono::seconds(1); }
  Task<void> pass(Milliseconds time) {
    clock_.advance(time);
    queue_->wake_receivers();
    co_return;
  }

 private:
  FakeClock clock_;
  std::shared_ptr<MemoryQueue> queue_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, QueueConformance, MemoryHarness);

}  // namespace
}  // namespace todoku::queue
