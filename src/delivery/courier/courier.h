// SPDX-License-Identifier: Apache-2.0
// Carries batches from the queue to the lanes: claims them, gets their letter, finds the route of
// each domain. A batch belongs to the source on whose channel its bell rang.
//
//   queue ──bell──> Claim ──> letter ──> routes ──> LaneDirectory
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
#include "delivery/feedback.h"
#include "delivery/node_lease.h"
#include "delivery/options.h"
#include "delivery/work.h"
#include "dns/route_cache.h"
#include "queue/queue.h"
#include "store/store.h"

namespace todoku::delivery::courier {

// What couriers share. Everything outlives every courier.
struct CourierWorld {
  store::Store& store;
  queue::Queues& queues;
  dns::RouteCache& routes;
  egress::LaneDirectory& lanes;
  OutcomeRecorder& recorder;
  LetterCache& letters;
  Feedback& feedback;
  const Clock& clock;
  const Options& options;
  NodeLease& node;
  Metrics& metrics;
};

// One per thread of the runtime; lives on that thread's executor.
class Courier {
 public:
  Courier(CourierWorld& world, async::Executor executor);

  // Begins to receive bells of every source, of both classes.
  void start();
  // Receives no more. Batches in flight go on.
  Task<void> stop();

  // Any thread: takes over a batch that is leased already, to be sent by `source`. The letter is
  // made on this thread.
  void hand_over(std::shared_ptr<const Letter> letter, store::LeasedBatch leased,
                 const EgressSource& source);

  [[nodiscard]] const async::Executor& executor() const { return executor_; }
  // What is in flight here or not committed yet. Any thread.
  void add_held(std::vector<store::HeldBatch>& held) const;
  // These have passed to somebody else. Any thread.
  std::size_t lose(const std::vector<store::HeldBatch>& batches);

 private:
  Task<void> receive(const EgressSource& source, TrafficClass traffic);
  Task<void> answer_bells(std::shared_ptr<queue::Queue> queue,
                          std::vector<queue::ReceivedBell> bells, const EgressSource& source);
  void carry_all(const std::vector<store::BatchKey>& keys,
                 std::vector<Result<store::LeasedBatch>> claimed, const EgressSource& source);
  Task<void> carry(store::LeasedBatch leased, SteadyInstant expires, const EgressSource& source);
  Task<void> dispatch(std::shared_ptr<BatchInFlight> batch, const EgressSource& source);
  Task<void> dispatch_domain(std::shared_ptr<BatchInFlight> batch, std::string domain,
                             std::vector<std::uint32_t> indices, const EgressSource& source);

  [[nodiscard]] std::shared_ptr<BatchInFlight> follow(store::LeasedBatch leased,
                                                      std::shared_ptr<const Letter> letter,
                                                      SteadyInstant expires);
  void sweep_locked();
  // Says the same of every recipient of a batch.
  void settle_all(const std::shared_ptr<BatchInFlight>& batch, const Outcome& outcome);
  void expire(const std::shared_ptr<BatchInFlight>& batch);
  void unroutable(const std::shared_ptr<BatchInFlight>& batch, std::string_view domain,
                  const std::vector<std::uint32_t>& indices, const dns::Unroutable& why);

  CourierWorld& world_;
  async::Executor executor_;
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
