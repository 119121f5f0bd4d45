// SPDX-License-Identifier: Apache-2.0
// One queue of SQS as a queue of bells. Whoever receives shares what one long poll at a time
// brings, so that an idle process costs a call in 20 seconds and queue, however many couriers it
// has.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/trouble.h"
#include "queue/breaker.h"
#include "queue/queue.h"
#include "queue/sqs/caller.h"
#include "queue/sqs/messages.h"

namespace todoku::queue::sqs {

struct QueueOptions {
  bool create = true;                   // a queue that is not there
  std::chrono::seconds visibility{30};  // of a received bell
  std::chrono::seconds poll{20};        // how long one waits at SQS: kWaitMax
  Milliseconds send_max{3'000};         // for ringing, whatever happens
};

// What the queues of a process share. Everything outlives them.
struct QueueWorld {
  Caller& caller;
  Breaker& reachable;  // closed while SQS itself does not answer
  const Clock& clock;
  Random& random;
  Metrics& metrics;
  const QueueOptions& options;
};

// See Queue for what the members mean. `release` counts in whole seconds, rounded up.
class SqsQueue final : public Queue {
 public:
  // Everything happens on `executor`'s thread, whoever asks.
  SqsQueue(std::string name, const Channel& channel, const QueueWorld& world,
           const async::Executor& executor);

  Task<Result<void>> send(std::vector<Bell> bells) override;
  Task<Result<std::vector<ReceivedBell>>> receive(std::size_t max, Milliseconds wait) override;
  Task<Result<void>> acknowledge(std::vector<Receipt> receipts) override;
  Task<Result<void>> release(std::vector<Receipt> receipts, Milliseconds delay) override;
  Task<Result<Depth>> depth() override;

  // Finds the queue, or makes it, and looks whether it is of the right kind. Errors: unavailable
  // (SQS does not answer now), all else is for the operator to mend: the detail says how.
  Task<Result<void>> find();

  // Breaks the poll off; receivers get `closed`. To be awaited on the queue's thread before the
  // end.
  Task<void> stop();

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  using Answer = std::expected<std::string, CallFailure>;
  using Write = std::function<std::string(std::string_view url)>;
  // A bell that a poll has brought and nobody has taken yet.
  struct Shared {
    ReceivedBell bell;
    SteadyInstant came{};
  };
  class Polling;

  Task<Result<void>> send_here(std::vector<Bell> bells);
  Task<Result<void>> send_batch(std::vector<Bell> bells, SteadyInstant deadline);
  Task<Result<std::vector<ReceivedBell>>> receive_here(std::size_t max, Milliseconds wait);
  Task<Result<void>> settle_here(Action action, std::vector<Receipt> receipts,
                                 std::chrono::seconds visibility);
  Task<Result<void>> settle_batch(Action action, std::vector<Receipt> receipts,
                                  std::chrono::seconds visibility);
  Task<Result<Depth>> depth_here();
  Task<Result<void>> find_here(SteadyInstant deadline);
  Task<Answer> find_url(SteadyInstant deadline);

  // The call on this queue, which is found before, and once more if it is not there any more.
  Task<Answer> ask(Action action, Write write, CallBounds bounds);
  Task<Result<std::vector<ReceivedBell>>> fetch(std::size_t max, std::chrono::seconds wait);
  void begin_poll();
  Task<void> poll();
  [[nodiscard]] std::vector<ReceivedBell> take_share(std::size_t max);
  [[nodiscard]] CallBounds until(SteadyInstant deadline) const;

  const std::string name_;
  const QueueWorld world_;
  const async::Executor executor_;
  Trouble trouble_;
  Gauge& age_;
  Counter& foreign_;

  std::string url_;  // empty: to be found
  Breaker sending_;
  Breaker receiving_;
  std::deque<Shared> shared_;
  std::size_t waiting_ = 0;  // receivers
  bool polling_ = false;
  bool closed_ = false;
  std::uint64_t failures_ = 0;   // of polls
  std::optional<Error> failed_;  // the last of them
  async::Signal news_;           // a poll has ended, or the queue is closed
  async::TaskGroup polls_;
};

}  // namespace todoku::queue::sqs
