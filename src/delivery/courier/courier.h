// SPDX-License-Identifier: Apache-2.0
// Carries batches from the queue to the lanes: claims them, gets their letter, finds the route of
// each domain, and keeps their leases alive until everything in them is settled.
//
//   queue ──bell──> claim_batches ──> letter ──> routes ──> LaneDirectory
//   intake ──hand_over (already leased)──┘
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/courier/letter_cache.h"
#include "delivery/courier/outcome_recorder.h"
#include "delivery/egress/lane.h"
#include "delivery/options.h"
#include "delivery/progress.h"
#include "delivery/work.h"
#include "dns/route_cache.h"
#include "queue/queue.h"
#include "store/store.h"

namespace todoku::delivery::courier {

class Courier;

// What couriers share. Everything outlives every courier.
struct CourierWorld {
  store::Store& store;
  queue::Queues& queues;
  dns::RouteCache& routes;
  egress::LaneDirectory& lanes;
  OutcomeRecorder& recorder;
  LetterCache& letters;
  ProgressListener& progress;
  const Clock& clock;
  const Options& options;
  store::Holder holder = 0;
  Metrics& metrics;
  std::vector<Courier*> couriers;  // all of them, complete before the first starts
};

// One per thread of the runtime; lives on that thread's executor.
class Courier {
 public:
  Courier(CourierWorld& world, async::Executor executor, std::string pool);

  // Begins to receive bells of both classes.
  void start();
  // Receives no more. Batches in flight go on.
  Task<void> stop();

  // Any thread: takes over a batch that is leased already. The letter is made on this thread.
  void hand_over(std::shared_ptr<const Letter> letter, std::vector<store::LeasedBatch> batches);

  [[nodiscard]] const async::Executor& executor() const { return executor_; }
  // The batch, if it is in flight here or its outcomes are not committed yet; else nullptr. Any
  // thread.
  [[nodiscard]] std::shared_ptr<BatchInFlight> find_in_flight(const store::BatchKey& key) const;

 private:
  struct Held {
    store::BatchKey key;
    std::uint64_t token = 0;
  };

  Task<void> receive(TrafficClass traffic);
  Task<void> answer_bells(std::shared_ptr<queue::Queue> queue,
                          std::vector<queue::ReceivedBell> bells);
  Task<void> carry(store::LeasedBatch leased);
  Task<void> dispatch(std::shared_ptr<BatchInFlight> batch);
  Task<void> dispatch_domain(std::shared_ptr<BatchInFlight> batch, std::string domain,
                             std::vector<std::uint32_t> indices);
  Task<void> keep_leases();
  Task<void> give_back(store::LeasedBatch leased, Instant not_before);

  void follow(const std::shared_ptr<BatchInFlight>& batch);
  void sweep_locked();
  // Whether any courier of this process has the batch: then how it holds it.
  [[nodiscard]] std::optional<Held> held_already(const store::BatchKey& key) const;
  static Result<void> extend(store::WriteTransaction& transaction, const std::vector<Held>& held,
                             Instant until);
  void expire(const std::shared_ptr<BatchInFlight>& batch);
  void unroutable(const std::shared_ptr<BatchInFlight>& batch, std::string_view domain,
                  const std::vector<std::uint32_t>& indices, const dns::Unroutable& why);
  [[nodiscard]] const EgressSource& source_for(const Mail& mail) const;

  CourierWorld& world_;
  async::Executor executor_;
  const std::string pool_;
  mutable std::mutex mutex_;  // guards the two below
  std::map<store::BatchKey, std::weak_ptr<BatchInFlight>> followed_;
  std::size_t sweep_at_ = 1'024;
  bool claims_fail_ = false;
  Counter& claimed_total_;
  Counter& stale_bells_total_;
  async::TaskGroup receiving_;
  async::TaskGroup work_;
};

}  // namespace todoku::delivery::courier
