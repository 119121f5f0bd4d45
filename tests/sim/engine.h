// SPDX-License-Identifier: Apache-2.0
// One run of the engine, from its start to its end in order or in a crash: the real parts of
// delivery and intake as app/ puts them together, with their own io_contexts.
#pragma once

#include <memory>
#include <string>

#include "app/passing_on.h"
#include "app/sending.h"
#include "async/runtime.h"
#include "async/task_group.h"
#include "base/metrics.h"
#include "delivery/feedback.h"
#include "delivery/key_ring.h"
#include "delivery/leadership.h"
#include "delivery/live_sources.h"
#include "delivery/node.h"
#include "delivery/policy/site_rules.h"
#include "delivery/scheduler/scheduler.h"
#include "delivery/sources.h"
#include "dns/resolver.h"
#include "dns/route_cache.h"
#include "intake/intake.h"
#include "sim/bells.h"
#include "sim/network.h"
#include "sim/scenario.h"
#include "sim/store.h"

namespace todoku::sim {

// What every run of the engine finds. All outlives the runs.
struct Surroundings {
  const SimClock& clock;
  const NodeClock& own_clock;
  std::string name;  // of the node
  Trace& trace;
  Disk& disk;
  Network& network;
  dns::Resolver& names;
  const delivery::policy::SiteRules& rules;
  const delivery::Options& options;
  const Scenario& scenario;
  UnreliableQueues::Stray stray;
  std::size_t threads = 1;
  async::Executor outside;  // where the disk and the senders live
};

class Engine {
 public:
  Engine(Surroundings surroundings, unsigned run);

  [[nodiscard]] unsigned run() const { return run_; }
  [[nodiscard]] async::Runtime& runtime() { return runtime_; }
  [[nodiscard]] const app::Sending& sending() const { return sending_; }
  void work_arrived() { scheduler_.wake(); }
  [[nodiscard]] intake::Intake& intake() { return intake_; }
  [[nodiscard]] FaultyStore& store() { return store_; }
  [[nodiscard]] UnreliableQueues& queues() { return queues_; }
  [[nodiscard]] const delivery::Node& node() const { return *node_; }
  // Tasks that use this run from outside, e.g. senders.
  [[nodiscard]] async::TaskGroup& visitors() { return visitors_; }

  void start() {
    node_->start();
    sending_.start();
    scheduler_.start();
  }
  // The process dies: no octet leaves it any more and nothing is committed. stop() follows, because
  // memory has to be given back all the same; it changes nothing outside.
  void die();
  [[nodiscard]] bool is_dead() const { return dead_; }
  // Stops, in order or dead. True if nothing had to be cut off. To be awaited outside.
  Task<bool> stop(Microseconds grace);
  // After stop(): nothing of it waits for anything any more.
  [[nodiscard]] bool is_over();

 private:
  class NoKeys final : public delivery::KeyRing {
   public:
    delivery::Signing current(store::AccountKey, std::string_view) override { return {}; }
    Result<delivery::Signing> pinned(store::AccountKey, std::string_view) override {
      return fail(ErrorKind::not_found, "there are no keys");
    }
  };

  const SimClock& clock_;
  const unsigned run_;
  bool dead_ = false;
  Metrics metrics_;
  NoKeys keys_;
  async::Runtime runtime_;
  FaultyStore store_;
  Line line_;
  const std::unique_ptr<delivery::Node> node_;
  UnreliableQueues queues_;
  dns::RouteCache routes_;
  delivery::AlwaysLeads leads_;
  delivery::AllSources owned_;
  delivery::AllLiveSources live_;
  delivery::MemoryFeedback feedback_;
  app::Sending sending_;
  delivery::scheduler::Scheduler scheduler_;
  app::PassingOn passing_on_;
  intake::Intake intake_;
  async::TaskGroup visitors_;
};

}  // namespace todoku::sim
