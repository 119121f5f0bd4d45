// SPDX-License-Identifier: Apache-2.0
#include "app/queue_house.h"

#include <utility>

#include "app/module_options.h"
#include "queue/embedded/memory_queue.h"

namespace todoku::app {

Result<QueueHouse> QueueHouse::make(const config::Config& config, store::Store& store,
                                    const Clock& clock, Metrics& metrics,
                                    const async::Executor& executor) {
  QueueHouse house;
  if (config.queue.kind == "sqs") {
    auto sqs = queue::sqs::SqsQueues::make(sqs_options(config), clock, metrics, executor);
    if (!sqs) return fail(std::move(sqs.error()));
    house.sqs_ = sqs->get();
    house.queues_ = std::move(*sqs);
  } else if (config.queue.kind == "store") {
    auto in_store = std::make_unique<queue::StoreQueues>(store_queue_options(), store, clock,
                                                         metrics, executor);
    house.in_store_ = in_store.get();
    house.queues_ = std::move(in_store);
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
  if (in_store_ != nullptr) co_await in_store_->stop();
}

}  // namespace todoku::app
