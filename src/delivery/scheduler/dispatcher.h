// SPDX-License-Identifier: Apache-2.0
// Offers what is due to couriers: chooses the source of each batch, as far as the lane (site and
// source) has credit, by turns between accounts and deliveries, transactional first. A pass reads
// from the store only what it may offer, so work that waits for its lane costs nothing. Knows
// batches by key and no mail; all it knows can be read again from the store.
//
//   store: Due ──> DueWindow per workload ──Turns, CreditLedger──> bells, by source and class
//
// Lives on one executor, which calls every member; has no timer of its own.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/feedback.h"
#include "delivery/live_sources.h"
#include "delivery/options.h"
#include "delivery/policy/credit.h"
#include "delivery/policy/pools.h"
#include "delivery/policy/protection.h"
#include "delivery/policy/shared_moves.h"
#include "delivery/policy/turns.h"
#include "delivery/scheduler/due_window.h"
#include "delivery/scheduler/step_reports.h"
#include "queue/queue.h"
#include "store/store.h"

namespace todoku::delivery::scheduler {

class Dispatcher {
 public:
  Dispatcher(store::Store& store, queue::Queues& queues, const Feedback& feedback,
             const LiveSources& live, const Clock& clock, const Options& options, Metrics& metrics);

  // Nothing is outstanding, as far as it knows: another has offered meanwhile. Not during a pass.
  void begin_anew();
  // Offers what can be offered now. Failures of the store are logged and repeated by the next pass.
  Task<void> pass();

  void take(const BatchProgress& progress);
  void rests(const LaneRest& rest);
  // Deliveries have been started, or something else has changed in the store.
  void look_again();

  // Something happened since the last pass that lets another one offer more.
  [[nodiscard]] bool has_news() const { return news_; }
  // When something becomes due, as far as is known.
  [[nodiscard]] std::optional<SteadyInstant> upcoming() const;

 private:
  // A batch for which a bell was rung and that is not settled yet.
  struct Offered {
    store::Workload workload;
    std::string domain;
    std::string source;
    std::string lane;
    std::int64_t open = 0;
    std::int64_t tried = 0;  // not given back as they came
    SteadyInstant since{};   // it was offered, or something was said of it
    SteadyInstant looked{};  // the store was asked whether it has been claimed
  };
  // A bulk delivery that is going out, or (in urgent_) everything transactional.
  struct Origin {
    SteadyInstant life_ends = SteadyInstant::max();
    DueWindow window;
    // Of bulk that begins with a few at each site; until then, and what they were.
    std::int64_t canary = 0;  // recipients; 0: it has none
    SteadyInstant canary_ends{};
    std::map<std::string, std::int64_t, std::less<>> canaries;  // by receiver_of()
    // By its sender's word (store/steering.h): nothing is offered before, nor from then on; what
    // is offered at once, of which the store says how much may be begun.
    std::optional<Pace> pace;
    SteadyInstant waits_until{};  // as the store last said
    SteadyInstant paced_until{};  // by what was offered, of which not all may have been taken yet
    SteadyInstant closes_at = SteadyInstant::max();
    bool has_waited = false;
    [[nodiscard]] SteadyInstant not_before() const { return std::max(waits_until, paced_until); }
  };
  using Canaries = std::map<store::DeliveryKey, std::pair<policy::Canary, Milliseconds>>;
  struct Chosen {
    store::BatchKey key;
    store::Workload workload;
    std::size_t source = 0;  // its place in sources_
  };

  // What is known of a domain, looked up once in a pass.
  struct Ways {
    // Its receiver, whichever way its mail goes; of batches that domains share: theirs.
    std::string receiver;
    std::vector<std::string> lanes;   // by the place of the source
    std::vector<bool> unwanted;       // by the same: the lane's site does not want the source
    std::vector<std::string> wanted;  // names of the other sources
  };

  static constexpr std::int64_t kBatchesPerRead = 64;
  // Batches of a domain that are looked at to find one whose lane has room. Of transactional mail
  // these are of all pools: so many that wait for a pool without a source hide the others.
  static constexpr std::int64_t kBatchesLookedAt = 4'096;

  void look_at_sources();
  Task<Result<void>> refresh();
  // Of deliveries that are seen for the first time: what their accounts have them begin with, and
  // for how long from now.
  Task<Result<Canaries>> read_canaries(const std::vector<store::SendingDelivery>& fresh);
  // Recipients that may be handed out at the domain's receiver besides; nullopt: as many as it can
  // take.
  [[nodiscard]] std::optional<std::int64_t> canary_left(const store::Workload& workload,
                                                        std::string_view domain, const Ways& ways);
  // Of deliveries whose pool is not known yet: reads who sends them.
  Task<Result<void>> learn_pools(std::vector<store::DeliveryKey> keys);
  Task<Result<void>> learn_pools(const store::DueDomains& due);
  struct Fresh {
    std::vector<store::SendingDelivery> sending;
    std::vector<store::HeldReceiver> held;
  };
  // What is going out, of which each has been told when its quiet hours are.
  Task<Result<Fresh>> read_sending();
  Task<Result<void>> move_windows(const std::vector<store::SendingDelivery>& sending);
  // Its sender does not want it to be offered now.
  [[nodiscard]] bool waits(const Origin& origin) const;
  void note_steering(Origin& origin, const store::SendingDelivery& sending, SteadyInstant read);
  void look_through_some();
  void mark_due();
  Task<Result<void>> look_for_lost_bells();
  Task<Result<void>> offer_urgent();
  Task<Result<void>> offer_bulk();
  Task<Result<void>> choose_urgent();
  Task<Result<void>> choose_bulk();
  // Whether the workload has a domain that can be served now; reads on in the store if need be.
  Task<Result<bool>> find_serviceable(store::Workload workload);
  // Chooses batches of one domain; returns their recipients.
  Task<Result<std::int64_t>> serve(store::Workload workload);
  // Chooses what is known of a domain, as far as credit and `budget` go; returns the recipients.
  std::int64_t choose_known(const store::Workload& workload, DueWindow::Domain& domain,
                            std::int64_t budget);
  void choose(const store::Workload& workload, const store::DueBatch& batch, std::size_t source);
  Task<Result<void>> ring(TrafficClass traffic);
  Task<Result<void>> ring(std::size_t source, TrafficClass traffic,
                          const std::vector<Chosen>& chosen);
  void take_back(const std::vector<Chosen>& chosen);

  [[nodiscard]] static std::int64_t number(store::DeliveryKey key) {
    return static_cast<std::int64_t>(key);
  }
  [[nodiscard]] Origin* origin_of(const store::Workload& workload);
  [[nodiscard]] policy::CreditLedger& credit_of(const store::Workload& workload) {
    return credit_[static_cast<std::size_t>(workload ? TrafficClass::bulk
                                                     : TrafficClass::transactional)];
  }
  // Valid for as long as nothing is waited for.
  [[nodiscard]] const Ways& ways_of(std::string_view domain);
  // Recipients that the lane of a source to the domain's site may be given now.
  [[nodiscard]] std::int64_t credit(const store::Workload& workload, std::string_view domain,
                                    const Ways& ways, std::size_t source);
  [[nodiscard]] bool is_serviceable(const store::Workload& workload,
                                    const DueWindow::Domain& domain);
  // nullopt: none of those that live sends it.
  [[nodiscard]] std::optional<std::size_t> source_for(const store::Workload& workload,
                                                      const store::BatchKey& key,
                                                      const Ways& ways) const;
  // Whether source_for() may choose the source for some batch.
  [[nodiscard]] bool may_send(const store::Workload& workload, const Ways& ways,
                              std::size_t source) const;
  [[nodiscard]] bool may_send(TrafficClass traffic, policy::Pools::Place pool, const Ways& ways,
                              std::size_t source) const;
  // nullopt: who sends it is not known yet.
  [[nodiscard]] std::optional<policy::Pools::Place> pool_of(store::DeliveryKey key) const;
  // Of one that domains share: whether its source kept nothing of it.
  void note_way(const store::BatchKey& key, const Offered& offered, bool is_over);
  void forget(std::map<store::BatchKey, Offered>::iterator offered);

  store::Store& store_;
  queue::Queues& queues_;
  const Clock& clock_;
  const Options& options_;
  const Feedback& feedback_;
  const LiveSources& live_;
  // Under what the sites of smarthosts are asked for, by the source that has one.
  std::map<std::string, std::string> smarthosts_;
  std::map<std::string, SteadyInstant, std::less<>> unwanted_;  // lanes, until when
  policy::SharedMoves shared_moves_;
  std::vector<std::string> sources_;  // those that lived when the pass began
  // By pool and TrafficClass: which of them send it.
  std::vector<std::array<std::vector<bool>, 2>> sends_;
  // Where rules choose among pools: of what is going out, and of transactional mail that is due.
  std::map<store::DeliveryKey, policy::Pools::Place> pools_of_;
  std::map<store::AccountKey, std::string> account_names_;

  // By TrafficClass, so that transactional mail does not wait for bulk's credit to come back.
  std::array<policy::CreditLedger, 2> credit_;
  std::map<store::BatchKey, Offered> offered_;
  std::map<std::pair<store::Workload, std::string>, std::int64_t> offered_of_;  // batches
  Origin urgent_;
  std::map<store::DeliveryKey, Origin> sending_;
  // Bulk that is held back at a receiver (store/rates.h), as of the last refresh().
  std::set<store::HeldReceiver> held_at_;
  policy::Turns turns_;
  StepReports steps_;
  bool sending_known_ = false;  // sending_ has been read from the store
  SteadyInstant refreshed_{};
  store::DeliveryKey looked_through_{};  // the last one that refresh() had looked through anew
  SteadyInstant swept_{};

  // Of the pass at hand or the last one.
  std::map<std::string, Ways, std::less<>> ways_;  // by domain
  std::vector<Chosen> chosen_;
  std::int64_t pages_left_ = 0;
  std::optional<store::DeliveryKey> out_of_pages_at_;  // the first that got none
  std::set<std::string, std::less<>> blocked_lanes_;   // had no credit for what is due
  bool news_ = true;

  Gauge& outstanding_gauge_;
  Counter& bells_total_;
  Counter& settled_total_;
};

}  // namespace todoku::delivery::scheduler
