// SPDX-License-Identifier: Apache-2.0
#include "app/queue_house.h"

#include <utility>

#include "app/module_options.h"
#include "queue/embedded/memory_queue.h"

namespace todoku::app {

Result<QueueHouse> QueueHouse::make(const config::Config& config, const Clock& clock,
                                    Metrics& metrics, const async::Executor& executor) {
  QueueHouse house;
  if (config.queue.kind == "sqs") {
    auto sqs = queue::sqs::SqsQueues::make(sqs_options(config), clock, metrics, executor);
    if (!sqs) return fail(std::move(sqs.error()));
    house.sqs_ = sqs->get();
    house.queues_ = std::move(*sqs);
  } else {
    house.queues_ = std::make_unique<queue::MemoryQueues>(queue::MemoryQueue::Options{}, clock);
  }
  return house;
}

Task<Result<void>> QueueHouse::check(std::vector<queue::Channel> channels) {
  if (sqs_ == nullptr) co_return Result<void>();
  auto checked = co_await sqs_->check(std::move(channels));
  if (!checked) co_return fail("Amazon SQS", std::move(checked.error()));
  co_return Result<void>();
}

Task<void> QueueHouse::stop() {
  if (sqs_ != nullptr) co_await sqs_->stop();
}

}  // namespace todoku::app
