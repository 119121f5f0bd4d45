// SPDX-License-Identifier: Apache-2.0
// The queues of a process on Amazon SQS: one for each source and class, named
// <prefix>-<source>-<class>.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "http/client.h"
#include "queue/breaker.h"
#include "queue/queue.h"
#include "queue/sqs/caller.h"
#include "queue/sqs/credential_source.h"
#include "queue/sqs/sqs_queue.h"

namespace todoku::queue::sqs {

struct SqsOptions {
  std::string region;
  std::string endpoint;  // URL; empty: the region's
  std::string prefix = "todoku";
  std::size_t channels = 2;  // about as many queues there will be: each has a connection of its own
  std::uint64_t seed = 0;    // of jitter
  CredentialOptions credentials;
  QueueOptions queue;
  std::string ca_file;  // empty: the system's
};

// "todoku-main-bulk". Names of SQS: up to 80 letters, digits, - and _.
inline constexpr std::size_t kNameMax = 80;
[[nodiscard]] std::string queue_name(std::string_view prefix, const Channel& channel);

class SqsQueues final : public Queues {
 public:
  // `clock` and `metrics` outlive the queues; `executor` is the thread on which all calls are made.
  // Errors: invalid_input, an endpoint that is none.
  [[nodiscard]] static Result<std::unique_ptr<SqsQueues>> make(SqsOptions options,
                                                               const Clock& clock, Metrics& metrics,
                                                               const async::Executor& executor);

  // Never fails and asks nobody: a queue is found when it is first used.
  Task<Result<std::shared_ptr<Queue>>> open(Channel channel) override;
  [[nodiscard]] std::shared_ptr<SqsQueue> get(const Channel& channel);

  // Finds all of these now. Errors: what the operator has to mend; that SQS does not answer at the
  // moment is only logged.
  Task<Result<void>> check(std::vector<Channel> channels);

  // To be awaited before the end, after all receivers have gone.
  Task<void> stop();

 private:
  SqsQueues(SqsOptions options, Endpoint endpoint, const Clock& clock, Metrics& metrics,
            const async::Executor& executor);
  Task<void> stop_here();

  const SqsOptions options_;
  const async::Executor executor_;
  SeededRandom random_;
  http::Client http_;
  CredentialSource credentials_;
  Caller caller_;
  Breaker reachable_;
  const QueueWorld world_;
  std::mutex mutex_;
  std::map<Channel, std::shared_ptr<SqsQueue>> queues_;  // under mutex_
};

}  // namespace todoku::queue::sqs
