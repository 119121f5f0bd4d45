// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/sqs_queues.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.h"
#include "base/log.h"

namespace todoku::queue::sqs {
namespace {

// Calls beside the polls: ringing, deleting, and who asks for credentials.
constexpr std::size_t kOtherConnections = 16;
constexpr Backoff kUnreachablePause{.first = std::chrono::seconds(1),
                                    .longest = std::chrono::seconds(10)};

http::ClientOptions client_options(const SqsOptions& options) {
  return {.ca_file = options.ca_file,
          .transfers_max = 4 * (options.channels + kOtherConnections),
          .connections_per_host_max = options.channels + kOtherConnections};
}

}  // namespace

std::string queue_name(std::string_view prefix, const Channel& channel) {
  return fmt::format("{}-{}-{}", prefix, channel.source,
                     channel.traffic == TrafficClass::bulk ? "bulk" : "transactional");
}

Result<std::unique_ptr<SqsQueues>> SqsQueues::make(SqsOptions options, const Clock& clock,
                                                   Metrics& metrics,
                                                   const async::Executor& executor) {
  auto endpoint = Endpoint::make(options.endpoint, options.region);
  if (!endpoint) return fail("queue.sqs.endpoint", std::move(endpoint.error()));
  return std::unique_ptr<SqsQueues>(
      new SqsQueues(std::move(options), std::move(*endpoint), clock, metrics, executor));
}

SqsQueues::SqsQueues(SqsOptions options, Endpoint endpoint, const Clock& clock, Metrics& metrics,
                     const async::Executor& executor)
    : options_(std::move(options)),
      executor_(executor),
      random_(options_.seed),
      http_(client_options(options_)),
      credentials_(options_.credentials, http_, clock, metrics, executor),
      caller_(std::move(endpoint), options_.region, http_, credentials_, clock, random_, metrics),
      reachable_(kUnreachablePause),
      world_{.caller = caller_,
             .reachable = reachable_,
             .clock = clock,
             .random = random_,
             .metrics = metrics,
             .options = options_.queue} {}

Task<Result<std::shared_ptr<Queue>>> SqsQueues::open(Channel channel) {
  co_return get(channel);
}

std::shared_ptr<SqsQueue> SqsQueues::get(const Channel& channel) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<SqsQueue>& queue = queues_[channel];
  if (!queue) {
    queue = std::make_shared<SqsQueue>(queue_name(options_.prefix, channel), channel, world_,
                                       executor_);
  }
  return queue;
}

Task<Result<void>> SqsQueues::check(std::vector<Channel> channels) {
  for (const Channel& channel : channels) {
    const std::shared_ptr<SqsQueue> queue = get(channel);
    auto found = co_await queue->find();
    if (found) continue;
    if (found.error().kind != ErrorKind::unavailable) co_return found;
    log::warning("SQS does not answer; it is tried again",
                 {{"queue", queue->name()}, {"reason", found.error().detail}});
    co_return Result<void>();
  }
  co_return Result<void>();
}

Task<void> SqsQueues::stop() {
  co_await async::run_on(executor_, stop_here());
}

Task<void> SqsQueues::stop_here() {
  std::vector<std::shared_ptr<SqsQueue>> queues;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [channel, queue] : queues_) queues.push_back(queue);
  }
  for (const auto& queue : queues) co_await queue->stop();
  co_await credentials_.stop();
}

}  // namespace todoku::queue::sqs
