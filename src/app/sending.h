// SPDX-License-Identifier: Apache-2.0
// What sends, put together: recorder, lanes and couriers over one store and one queue, and the
// order in which they start, drain and stop. It sends from the sources that this process owns: for
// each of them bells are received from when it is owned until it is not, and then its lanes are
// drained.
#pragma once

#include <atomic>
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
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/courier/courier.h"
#include "delivery/courier/holdings.h"
#include "delivery/courier/letter_cache.h"
#include "delivery/courier/outcome_recorder.h"
#include "delivery/egress/lane.h"
#include "delivery/feedback.h"
#include "delivery/hearing.h"
#include "delivery/key_ring.h"
#include "delivery/live_sources.h"
#include "delivery/node.h"
#include "delivery/options.h"
#include "delivery/pace_memory.h"
#include "delivery/policy/room.h"
#include "delivery/policy/site_rules.h"
#include "delivery/pool_choice.h"
#include "delivery/source_set.h"
#include "delivery/sources.h"
#include "delivery/stop_list.h"
#include "delivery/warm_up.h"
#include "dns/route_cache.h"
#include "explain/way.h"
#include "queue/queue.h"
#include "store/store.h"
#include "sts/policy_cache.h"

namespace todoku::app {

class Sending {
 public:
  // All of it outlives the object, but for `node`, whose holder is there: that is stopped after it
  // and has then nothing more to tell. It alone listens to `owned`.
  struct World {
    async::Runtime& runtime;
    store::Store& store;
    delivery::Node& node;
    queue::Queues& queues;
    dns::RouteCache& routes;
    delivery::Feedback& feedback;
    delivery::OwnedSources& owned;
    const delivery::LiveSources& live;
    delivery::KeyRing& keys;
    const delivery::policy::SiteRules& rules;
    const Clock& clock;
    Metrics& metrics;
    const delivery::SourceSet* listed = nullptr;  // on some blocklist; nullptr: none is known
    sts::PolicyCache* mta_sts = nullptr;          // nullptr: nobody's policies are gone by
  };
  // `dialer`: nullptr for the system's.
  Sending(const World& world, delivery::Options options,
          std::shared_ptr<const net::TlsClientContext> tls, net::Dialer* dialer = nullptr);
  ~Sending();
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

  void start();
  // Takes no more work and begins no more mail; mails in hand go on. To be awaited on the runtime's
  // first executor, before stop(), which does it otherwise.
  Task<void> begin_stop();
  // Takes no more work, finishes the mails in hand, gives everything else back to the store and
  // commits all outcomes; at `deadline` it ends what still runs. To be awaited on the runtime's
  // first executor, once. True if nothing had to be cut off.
  Task<bool> stop(SteadyInstant deadline);

  // Whether anything of a source is on its way here. Any thread.
  [[nodiscard]] bool in_use(std::string_view source) const { return lanes_.in_use(source); }

  [[nodiscard]] std::vector<delivery::egress::Lane::Figures> lanes() const {
    return lanes_.figures();
  }
  // An account, and so what its mail weighs, has changed.
  void accounts_changed() { letters_.accounts_changed(); }
  // Deliveries that are paused or stopped, credentials that are held: nothing of them is begun from
  // now on. Any thread.
  void hold_back(delivery::courier::Holdings::HeldBack held) {
    holdings_.hold_back(std::move(held));
  }
  // Who hears how mail ends that came by SMTP. Before start(); outlives it.
  void tell_of_relayed(delivery::courier::RelayedOutcomes& listener) {
    recorder_.tell_of_relayed(listener);
  }
  // Who hears how attempts end, for what it says of TLS. Likewise.
  void tell_of_tls(delivery::courier::TlsOutcomes& listener) { recorder_.tell_of_tls(listener); }
  // Any thread.
  void heard(delivery::Hearing::Of of, SteadyInstant asked) {
    if (hearing_.heard(of, asked)) recorder_.may_begin_again();
  }
  // What is known of the way that a mail takes, or would take now; nullopt: its source is none of
  // ours.
  [[nodiscard]] std::optional<explain::Way> way_of(const store::Story& story) const;
  // The domain itself where nothing is known of it.
  [[nodiscard]] std::string site_of(std::string_view domain) const {
    return feedback_.site_of(domain);
  }
  // For how long nothing could be sent any more; nullopt: sending goes on.
  [[nodiscard]] std::optional<Microseconds> stalled() const {
    return places_.stalled(clock_.steady_now());
  }
  [[nodiscard]] const delivery::courier::OutcomeRecorder& recorder() const { return recorder_; }

  // Who takes over a transaction of this account in memory, whatever source it falls to: this
  // process, or kNobody. Any thread.
  [[nodiscard]] store::NodeKey holder(store::AccountKey account) const;
  // What it has taken over. Nobody sends before start() and after stop().
  void hand_over(store::Accepted accepted);
  [[nodiscard]] Milliseconds life_time() const { return options_.retry_transactional.life_time; }

 private:
  // Transactions that were handed over and are not settled yet.
  struct HandedOver {
    std::mutex mutex;
    delivery::policy::Room letters;
    delivery::policy::Room octets;  // of these
  };
  Task<void> tidy_lanes();
  // What lanes have learnt: told to the store, and what the store knows of a source's.
  Task<void> tell_paces();
  Task<void> learn_paces(std::string source);
  Task<void> follow_stops();
  void sources_changed();
  void look_whether_all_is_ours();
  Task<void> follow_sources();
  Task<void> begin(const delivery::EgressSource& source);
  Task<void> end(const delivery::EgressSource& source);
  Task<void> stop_couriers();
  Task<void> end_connections(SteadyInstant deadline);
  Task<void> flush(SteadyInstant deadline);
  Task<void> stop_recorder_after(Microseconds patience);
  [[nodiscard]] const delivery::EgressSource* source_of(const store::BatchKey& key,
                                                        TrafficClass traffic,
                                                        delivery::policy::Pools::Place pool) const;
  // The same of a batch that goes out at once: not by one whose volume of today has gone, unless
  // there is no other.
  [[nodiscard]] const delivery::EgressSource* source_with_room(
      const store::LeasedBatch& batch, delivery::policy::Pools::Place pool) const;
  [[nodiscard]] const delivery::EgressSource* chosen_of(std::span<const std::string> live,
                                                        const store::BatchKey& key,
                                                        TrafficClass traffic,
                                                        delivery::policy::Pools::Place pool) const;

  async::Runtime& runtime_;
  store::Store& store_;
  delivery::Node& node_;
  delivery::Feedback& feedback_;
  delivery::OwnedSources& owned_;
  const delivery::LiveSources& live_;
  delivery::KeyRing& keys_;
  const Clock& clock_;
  const delivery::Options options_;

  delivery::Hearing hearing_;
  delivery::HearingLease lease_;
  delivery::courier::OutcomeRecorder recorder_;
  delivery::courier::Holdings holdings_;
  delivery::courier::LetterCache letters_;
  delivery::StopList stops_;
  std::vector<std::unique_ptr<async::TaskGroup>> connections_;            // one per thread
  std::vector<std::unique_ptr<delivery::egress::SigningRounds>> rounds_;  // one per thread
  delivery::egress::ConnectionPlaces places_;
  delivery::egress::ComposingMemory memory_;
  delivery::egress::OwnShortage shortage_;
  delivery::egress::KnownReceivers receivers_;
  delivery::egress::LaneSlowdowns slowdowns_;
  delivery::egress::SourceRefusals refusals_;
  delivery::PaceMemory paces_;
  delivery::WarmUp warm_up_;
  delivery::egress::LaneWorld lane_world_;
  delivery::egress::LaneDirectory lanes_;
  delivery::courier::CourierWorld courier_world_;
  std::vector<std::unique_ptr<delivery::courier::Courier>> couriers_;  // one per thread
  delivery::PoolChoice pool_choice_;
  std::atomic<std::size_t> next_courier_{0};
  const std::shared_ptr<HandedOver> handed_over_;  // shared with what is in flight
  std::atomic<bool> accepting_{false};
  bool stopping_ = false;
  Trouble paces_trouble_{log::Level::warning, "what lanes have learnt is not kept",
                         "what lanes have learnt is kept again"};
  Trouble stops_trouble_{log::Level::warning, "new suppressions are not heard of",
                         "new suppressions are heard of again"};
  std::atomic<bool> sends_all_{false};      // every source that lives is owned here
  bool cut_off_ = false;                    // something had to be ended while stopping
  std::map<std::string, bool> sends_from_;  // by source, of those that were owned at some time
  async::Signal changed_;                   // what is owned
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
