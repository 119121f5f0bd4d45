// SPDX-License-Identifier: Apache-2.0
// What the roles that deliver share in a process: queues, feedback, routes, and what only one
// process may do at a time (who leads, whose a source is). Where a store is worked on by one
// process it leads always and owns every source, and feedback stays in memory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/instance_addresses.h"
#include "app/queue_house.h"
#include "app/roles/ground.h"
#include "app/roles/routing.h"
#include "app/running.h"
#include "delivery/feedback.h"
#include "delivery/leadership.h"
#include "delivery/live_sources.h"
#include "delivery/source_set.h"
#include "delivery/sources.h"

namespace todoku::app::roles {

class Shared {
 public:
  // As the roles of the process need it. `ground` outlives it. Errors: a resolver or queue settings
  // that cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<Shared>> make(const Ground& ground);
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  // Before the roles. Errors: queues that cannot be used.
  [[nodiscard]] Result<void> start();
  // Before the scheduler and couriers of the process respectively have anything to do.
  void begin_to_lead();
  void begin_to_own(std::function<bool(std::string_view source)> in_use);
  // Another may lead, or own the sources, from now on: what schedules or sends here has stopped.
  // Blocks; once more does nothing.
  void stop_leading();
  void give_sources();
  // After all roles. Blocks; also if it was never started.
  void stop(SteadyInstant deadline);

  // Several processes work on the store.
  [[nodiscard]] bool is_cluster() const { return is_cluster_; }
  [[nodiscard]] queue::Queues& queues() { return queues_.queues(); }
  [[nodiscard]] delivery::Feedback& feedback() { return *feedback_; }
  [[nodiscard]] delivery::Leads& leads() { return *leads_; }
  [[nodiscard]] delivery::OwnedSources& owned() { return *owned_; }
  [[nodiscard]] const delivery::LiveSources& live() const { return *live_; }
  // What rests is given nothing new: alone it is not chosen, and of several processes it is owned
  // by none.
  [[nodiscard]] delivery::SourceSet& rested() { return rested_; }
  // On some blocklist, as far as is known here.
  [[nodiscard]] delivery::SourceSet& listed() { return listed_; }
  // Whether the source of this name could be sent from here, rested or not. On the first thread.
  [[nodiscard]] bool is_here(const std::string& source) const;
  [[nodiscard]] Routing* routing() { return routing_.get(); }  // nullptr: nothing is sent here

 private:
  Shared(const Ground& ground, QueueHouse queues, std::unique_ptr<Routing> routing);
  void make_alone();
  void make_one_of_several();
  void make_addresses();
  [[nodiscard]] bool has_address(const delivery::EgressSource& source) const;

  const Ground& ground_;
  const bool is_cluster_;
  QueueHouse queues_;
  const std::unique_ptr<Routing> routing_;
  std::function<bool(std::string_view)> in_use_;
  std::unique_ptr<InstanceAddresses> addresses_;  // nullptr: no source has one to be confirmed
  delivery::SourceSet rested_;
  delivery::SourceSet listed_;
  std::unique_ptr<delivery::Leads> leads_;
  std::unique_ptr<delivery::OwnedSources> owned_;
  std::unique_ptr<delivery::LiveSources> live_;
  std::unique_ptr<delivery::Feedback> feedback_;
  // Of several processes; empty where there is one.
  std::function<void()> lead_;
  std::function<void()> own_;
  Running leading_;
  Running owning_;
  Running running_;
};

}  // namespace todoku::app::roles
