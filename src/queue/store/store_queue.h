// SPDX-License-Identifier: Apache-2.0
// The queue on the store (store/bells.h), for processes that share one without Amazon SQS: bells
// are rows, and who listens asks for them.
//
// All channels of a process share one loop. What its tasks send, acknowledge and release while one
// piece of work is under way goes with the next, together with the question for bells of everybody
// who listens, so that much of it costs a few statements, and an idle process one now and then
// (poll_pace.h). What is rung in this process is heard in it at once. No more bells are taken out
// than receivers wait for, so that none is hidden from others in the memory of a process that has
// no use for it.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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
#include "queue/store/poll_pace.h"
#include "store/store.h"

namespace todoku::queue {

class StoreQueues final : public Queues {
 public:
  struct Options {
    Milliseconds visibility{std::chrono::seconds(30)};  // of a received bell
    PollPace::Bounds pace;
    std::uint64_t seed = 0;  // of jitter
  };

  // All of them outlive the queues; everything is decided on `executor`'s thread.
  StoreQueues(const Options& options, store::Store& store, const Clock& clock, Metrics& metrics,
              const async::Executor& executor);

  // Never fails and asks nobody. Of the queues, a bell that is rung twice is one (store/bells.h),
  // and `unavailable` is said at once for a while after the store did not answer.
  Task<Result<std::shared_ptr<Queue>>> open(Channel channel) override;
  [[nodiscard]] std::shared_ptr<Queue> get(const Channel& channel);

  // Has the store asked now, and every receiver look at the clock: to be called after a clock that
  // does not run by itself was moved. Thread-safe.
  void wake_receivers();

  // Receivers get `closed`; what was taken out for them goes back. To be awaited before the end,
  // when nobody begins to use a queue any more.
  Task<void> stop();

 private:
  class OneQueue;
  struct Errand;
  struct Receiver;
  struct Turn;
  class Listening;
  class Running;
  using Bells = std::vector<ReceivedBell>;

  Task<Result<void>> run_errand(std::shared_ptr<Errand> errand);
  Task<Result<Bells>> receive(store::BellChannel channel, std::size_t max, Milliseconds wait);
  Task<void> stop_here();

  void begin_loop();
  Task<void> loop();
  [[nodiscard]] bool has_work() const;
  [[nodiscard]] bool is_time(SteadyInstant now) const;
  Task<void> take_turn();
  void gather(Turn& turn, SteadyInstant now);
  void share_out(Turn& turn, const std::vector<store::HeardBell>& heard);
  void give_back(std::vector<store::GivenBack> bells);
  void turn_failed(Turn& turn, const Error& error);
  void refuse_errands(const Error& error);
  void wake_all();

  const Options options_;
  store::Store& store_;
  const Clock& clock_;
  const async::Executor executor_;
  SeededRandom random_;
  Counter& turns_total_;
  Counter& heard_total_;
  Counter& forgotten_total_;
  Trouble trouble_;

  std::mutex mutex_;
  std::map<Channel, std::shared_ptr<Queue>> queues_;  // under mutex_

  // On the executor's thread only.
  std::deque<std::shared_ptr<Errand>> errands_;
  std::size_t errand_bells_ = 0;
  std::list<std::shared_ptr<Receiver>> receivers_;
  PollPace pace_;
  Breaker reachable_;
  SteadyInstant next_forgetting_;
  bool hurries_ = false;  // somebody listens who has not been asked for yet
  bool running_ = false;
  bool closed_ = false;
  async::Signal news_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::queue
