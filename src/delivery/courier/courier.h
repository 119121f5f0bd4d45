// SPDX-License-Identifier: Apache-2.0
// Carries batches from the queue to the lanes: claims them, gets their letter, finds the route of
// each domain. A batch belongs to the source on whose channel its bell rang.
//
//   queue ──bell──> Claim ──> letter ──> routes ──> LaneDirectory
//   intake ──hand_over (already leased)──┘
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/courier/holdings.h"
#include "delivery/courier/letter_cache.h"
#include "delivery/courier/outcome_recorder.h"
#include "delivery/egress/lane.h"
#include "delivery/feedback.h"
#include "delivery/node_lease.h"
#include "delivery/options.h"
#include "delivery/policy/sts_exception.h"
#include "delivery/work.h"
#include "dns/route_cache.h"
#include "queue/queue.h"
#include "store/store.h"
#include "sts/policy_cache.h"

namespace todoku::delivery::courier {

// What couriers share. Everything outlives every courier.
struct CourierWorld {
  store::Store& store;
  queue::Queues& queues;
  dns::RouteCache& routes;
  egress::LaneDirectory& lanes;
  OutcomeRecorder& recorder;
  Holdings& holdings;
  LetterCache& letters;
  Feedback& feedback;
  const Clock& clock;
  const Options& options;
  NodeLease& node;
  Metrics& metrics;
  sts::PolicyCache* mta_sts = nullptr;  // nullptr: nobody's policies are gone by
  // Claimed and not over yet, of transactions; shared with what is in flight.
  std::shared_ptr<std::atomic<std::size_t>> claimed_transactions =
      std::make_shared<std::atomic<std::size_t>>(0);
};

// One per thread of the runtime; lives on that thread's executor.
class Courier {
 public:
  Courier(CourierWorld& world, async::Executor executor);

  // Receives bells of the source, of both classes, from now on. `source` outlives the courier.
  Task<void> begin(const EgressSource& source);
  // Receives none of the source any more. Batches in flight go on. A bell that was being heard
  // comes again, for whoever has the source then.
  Task<void> end(const EgressSource& source);
  // The same for all, and nothing is looked up any more.
  Task<void> stop();

  // Any thread: a batch that was taken when it was accepted, and has its letter, is to be sent by
  // `source`.
  void hand_over(std::shared_ptr<BatchInFlight> batch, const EgressSource& source);

  [[nodiscard]] const async::Executor& executor() const { return executor_; }

 private:
  Task<void> receive(const EgressSource& source, TrafficClass traffic);
  Task<void> answer_bells(std::shared_ptr<queue::Queue> queue,
                          std::vector<queue::ReceivedBell> bells, const EgressSource& source);
  Task<void> settle_bells(Task<Result<void>> settling, std::shared_ptr<queue::Queue> queue);
  void carry_all(const std::vector<store::BatchKey>& keys,
                 std::vector<Result<store::LeasedBatch>> claimed, const EgressSource& source,
                 SteadyInstant asked, std::vector<BatchProgress> over);
  void take(store::LeasedBatch leased, const EgressSource& source, SteadyInstant asked);
  // Returns when there is room in memory for what bells bring; false if the task was cancelled.
  Task<bool> room_for(TrafficClass traffic);
  // A transaction's place in memory, which goes back with the last copy; nullptr for bulk.
  [[nodiscard]] std::shared_ptr<void> place_of(TrafficClass traffic);
  Task<void> carry(std::shared_ptr<BatchInFlight> batch, std::shared_ptr<void> place,
                   const EgressSource& source);
  // Takes what the batch's delivery may begin of it by its pace; the others wait. False: nothing.
  Task<bool> take_pace(std::shared_ptr<BatchInFlight> batch);
  Task<void> dispatch(std::shared_ptr<BatchInFlight> batch, const EgressSource& source);
  Task<void> dispatch_domain(std::shared_ptr<BatchInFlight> batch, std::string domain,
                             std::vector<std::uint32_t> indices, const EgressSource& source);

  // The policy that mail of the domain goes by, unless it is wholly excepted.
  Task<sts::PolicyCache::Word> policy_of(std::string domain, policy::StsException exception);
  // No host of the route is left by the domain's policy.
  void names_nobody(const std::shared_ptr<BatchInFlight>& batch, const std::string& domain,
                    const std::vector<std::uint32_t>& indices, const dns::MailRoute& route);
  // A batch whose source has a smarthost: all of it goes there.
  Task<void> dispatch_to_smarthost(std::shared_ptr<BatchInFlight> batch,
                                   const EgressSource& source);
  // A batch of an account for trials: nobody is asked, nothing is looked up. A process that is
  // killed after an outcome is committed tells no sequel of it.
  Task<void> end_in_sandbox(std::shared_ptr<BatchInFlight> batch);
  void cannot_read(const std::shared_ptr<BatchInFlight>& batch, const Error& error);
  // Says the same of every recipient of a batch that is in turn.
  void settle_all(const std::shared_ptr<BatchInFlight>& batch, const Outcome& outcome);
  void expire(const std::shared_ptr<BatchInFlight>& batch);
  void unroutable(const std::shared_ptr<BatchInFlight>& batch, std::string_view domain,
                  const std::vector<std::uint32_t>& indices, const dns::Unroutable& why);

  CourierWorld& world_;
  async::Executor executor_;
  Trouble sequels_{log::Level::warning, "what follows mail of the sandbox is not told",
                   "what follows mail of the sandbox is told again"};
  Trouble claiming_{log::Level::error, "batches not claimed", "batches are claimed again"};
  Counter& claimed_total_;
  Counter& stale_bells_total_;
  Trouble hearing_{log::Level::warning, "bells not received", "bells are received again"};
  std::map<std::string, std::unique_ptr<async::TaskGroup>> receiving_;  // by source
  async::TaskGroup settling_;  // acknowledging and giving back bells
  async::TaskGroup work_;
  async::TaskGroup looking_up_;  // routes of single domains; work_ waits for room here
};

}  // namespace todoku::delivery::courier
