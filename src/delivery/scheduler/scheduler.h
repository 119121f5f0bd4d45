// SPDX-License-Identifier: Apache-2.0
// Decides what is worked on: starts deliveries at their time and rings for batches that are due,
// as far as their sites have credit, fairly between accounts and deliveries. Holds no mail: it
// knows batches by key, and all it knows can be read again from the store.
//
//   store: deliveries_to_start, due_domains, due_batches ──> Scheduler ──bells──> queue
//                                   ^                            │
//                                   └── outcomes, releases <── couriers (progressed)
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/key_ring.h"
#include "delivery/options.h"
#include "delivery/policy/credit.h"
#include "delivery/progress.h"
#include "queue/queue.h"
#include "store/store.h"

namespace todoku::delivery::scheduler {

// Lives on one executor. progressed(), site_rests() and wake() may be called from any thread.
class Scheduler final : public ProgressListener {
 public:
  // The site a domain's mail goes to as far as it is known yet, else the domain itself.
  using SiteOf = std::function<std::string(std::string_view domain)>;

  Scheduler(store::Store& store, queue::Queues& queues, KeyRing& keys, const Clock& clock,
            const Options& options, Metrics& metrics, SiteOf site_of, async::Executor executor);

  void start();
  // Rings no more. Returns when nothing of it runs.
  Task<void> stop();

  // Something changed in the store that may be due now.
  void wake();
  void progressed(std::vector<BatchProgress> progress) override;
  void site_rests(std::string site, SteadyInstant until);

 private:
  // A batch for which a bell was rung and that is not settled yet.
  struct Offered {
    std::string site;
    std::int64_t open = 0;
    SteadyInstant since{};
  };
  // A bulk delivery that is going out.
  struct Sending {
    store::Delivery delivery;
    std::uint32_t weight = 1;
    std::vector<store::DueDomain> domains;
    bool stale = true;  // `domains` should be read again
    double served = 0;  // recipients offered, counted from where the others were
  };

  Task<void> run();
  Task<void> pass();
  Task<Result<void>> start_due();
  Task<Result<void>> begin(store::Delivery delivery);
  Task<Result<void>> ring_transactional();
  Task<Result<void>> refresh_sending();
  Task<Result<void>> ring_bulk();
  // In the order of their turns: who was served least comes first.
  [[nodiscard]] std::vector<const Sending*> by_service() const;
  void carry_service(std::map<store::DeliveryKey, Sending>& fresh);
  Task<Result<std::int64_t>> ring_domain(const Sending& sending, std::string domain,
                                         std::int64_t credit);
  Task<Result<void>> ring(TrafficClass traffic, std::vector<store::DueBatch> batches);
  // When the next pass is due, after one that began at `passed`.
  Task<SteadyInstant> next_wake(Instant passed);
  [[nodiscard]] bool has_been_woken();
  void take_messages();
  void take_progress(const BatchProgress& progress);
  void forget_lost_bells();
  [[nodiscard]] std::string site_for(std::string_view domain) const;
  [[nodiscard]] bool life_over(const store::Delivery& delivery) const;

  store::Store& store_;
  queue::Queues& queues_;
  KeyRing& keys_;
  const Clock& clock_;
  const Options& options_;
  const SiteOf site_of_;

  policy::CreditLedger credit_;
  std::map<store::BatchKey, Offered> offered_;
  std::map<store::DeliveryKey, Sending> sending_;
  std::map<store::AccountKey, double> served_;  // of accounts that send: recipients by weight
  std::set<std::string_view> failing_steps_;
  bool sending_known_ = false;  // sending_ has been read from the store
  SteadyInstant refreshed_{};
  std::optional<Instant> next_due_;  // when something in the store that waits becomes due

  std::mutex mutex_;  // guards the three below
  std::vector<BatchProgress> progress_;
  std::vector<std::pair<std::string, SteadyInstant>> rests_;
  bool woken_ = false;
  bool posted_ = false;

  Gauge& outstanding_gauge_;
  Counter& bells_total_;
  Counter& passes_total_;
  async::Executor executor_;
  async::Signal signal_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery::scheduler
