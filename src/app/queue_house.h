// SPDX-License-Identifier: Apache-2.0
// The queues that `queue.kind` names.
#pragma once

#include <memory>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "queue/queue.h"
#include "queue/sqs/sqs_queues.h"
#include "queue/store/store_queue.h"
#include "store/store.h"

namespace todoku::app {

class QueueHouse {
 public:
  // All of them outlive it. Errors: settings that cannot be used.
  [[nodiscard]] static Result<QueueHouse> make(const config::Config& config, store::Store& store,
                                               const Clock& clock, Metrics& metrics,
                                               const async::Executor& executor);

  [[nodiscard]] queue::Queues& queues() { return *queues_; }

  // Whether these can be used. Errors: what the operator has to mend.
  Task<Result<void>> check(std::vector<queue::Channel> channels);
  // To be awaited after all who send and receive.
  Task<void> stop();

 private:
  std::unique_ptr<queue::Queues> queues_;
  queue::sqs::SqsQueues* sqs_ = nullptr;    // the same, if they are on SQS
  queue::StoreQueues* in_store_ = nullptr;  // the same, if they are in the store
};

}  // namespace todoku::app
