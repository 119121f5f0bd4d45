// SPDX-License-Identifier: Apache-2.0
// Delivery put together: node, recorder, lanes, couriers and scheduler over one store and one
// queue, and the order in which they start, drain and stop. Also the other side of intake's
// Handover.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/courier/courier.h"
#include "delivery/courier/holdings.h"
#include "delivery/courier/letter_cache.h"
#include "delivery/courier/outcome_recorder.h"
#include "delivery/egress/lane.h"
#include "delivery/feedback.h"
#include "delivery/key_ring.h"
#include "delivery/node.h"
#include "delivery/options.h"
#include "delivery/policy/room.h"
#include "delivery/policy/site_rules.h"
#include "delivery/scheduler/scheduler.h"
#include "dns/route_cache.h"
#include "explain/way.h"
#include "intake/intake.h"
#include "queue/queue.h"
#include "store/store.h"

namespace todoku::app {

class Delivering final : public intake::Handover {
 public:
  // Everything given outlives it, but for `node`, whose holder is here: that is stopped after it
  // and has then nothing more to tell. `dialer`: nullptr for the system's.
  Delivering(async::Runtime& runtime, store::Store& store, delivery::Node& node,
             queue::Queues& queues, dns::RouteCache& routes, delivery::KeyRing& keys,
             const delivery::policy::SiteRules& rules, delivery::Options options,
             const Clock& clock, Metrics& metrics, std::shared_ptr<const net::TlsClientContext> tls,
             net::Dialer* dialer = nullptr);
  ~Delivering() override;

  void start();
  // Takes no more work, finishes the mails in hand, gives everything else back to the store and
  // commits all outcomes; at `deadline` it ends what still runs. To be awaited on the runtime's
  // first executor, once. True if nothing had to be cut off.
  Task<bool> stop(SteadyInstant deadline);

  [[nodiscard]] std::vector<delivery::egress::Lane::Figures> lanes() const {
    return lanes_.figures();
  }
  // An account, and so what its mail weighs, has changed.
  void accounts_changed() { letters_.accounts_changed(); }
  // What is known of the way that a mail takes, or would take now.
  [[nodiscard]] explain::Way way_of(const store::Story& story) const;
  // For how long nothing could be sent any more; nullopt: sending goes on.
  [[nodiscard]] std::optional<Microseconds> stalled() const {
    return places_.stalled(clock_.steady_now());
  }
  [[nodiscard]] const delivery::courier::OutcomeRecorder& recorder() const { return recorder_; }

  // intake::Handover
  [[nodiscard]] std::string signing_for(store::AccountKey account,
                                        std::string_view from_domain) override;
  [[nodiscard]] store::NodeKey holder(store::AccountKey account) override;
  [[nodiscard]] Milliseconds life_time() const override {
    return options_.retry_transactional.life_time;
  }
  void hand_over(store::Accepted accepted) override;
  void work_arrived() override { scheduler_.wake(); }

 private:
  // Transactions that were handed over and are not settled yet.
  struct HandedOver {
    std::mutex mutex;
    delivery::policy::Room room;
  };
  Task<void> tidy_lanes();
  Task<void> end_connections(SteadyInstant deadline);
  Task<void> flush(SteadyInstant deadline);
  Task<void> stop_recorder_after(Microseconds patience);

  async::Runtime& runtime_;
  store::Store& store_;
  delivery::Node& node_;
  delivery::KeyRing& keys_;
  const Clock& clock_;
  const delivery::Options options_;
  std::vector<std::string> source_names_;  // as options_.sources

  delivery::MemoryFeedback feedback_;
  delivery::courier::OutcomeRecorder recorder_;
  delivery::courier::Holdings holdings_;
  delivery::courier::LetterCache letters_;
  std::vector<std::unique_ptr<async::TaskGroup>> connections_;            // one per thread
  std::vector<std::unique_ptr<delivery::egress::SigningRounds>> rounds_;  // one per thread
  delivery::egress::ConnectionPlaces places_;
  delivery::egress::ComposingMemory memory_;
  delivery::egress::OwnShortage shortage_;
  delivery::egress::KnownReceivers receivers_;
  delivery::egress::LaneWorld lane_world_;
  delivery::egress::LaneDirectory lanes_;
  delivery::scheduler::Scheduler scheduler_;
  delivery::courier::CourierWorld courier_world_;
  std::vector<std::unique_ptr<delivery::courier::Courier>> couriers_;  // one per thread
  std::atomic<std::size_t> next_courier_{0};
  const std::shared_ptr<HandedOver> handed_over_;  // shared with what is in flight
  std::atomic<bool> accepting_{false};
  bool cut_off_ = false;  // something had to be ended while stopping
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
