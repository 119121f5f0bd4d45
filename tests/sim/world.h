// SPDX-License-Identifier: Apache-2.0
// The simulated world: plays one scenario from its beginning to the end of every mail's life and
// tells what was wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task_group.h"
#include "sim/engine.h"
#include "sim/loop.h"
#include "sim/memory_store.h"
#include "sim/names.h"
#include "sim/network.h"
#include "sim/receiver.h"
#include "sim/scenario.h"
#include "sim/senders.h"
#include "sim/store.h"
#include "sim/trace.h"

namespace todoku::sim {

// How a run of the engine ended, and how many mails may have gone out without the store knowing.
struct RunEnd {
  bool crashed = false;
  std::size_t unrecorded = 0;  // outcomes known and not committed
  std::size_t in_hand = 0;     // connections, each with one mail at most
};

// A recipient as the store tells it in the end.
struct StoredRecipient {
  RecipientState state = RecipientState::pending;
  std::size_t attempts = 0;
};

struct StoredDelivery {
  DeliveryStatus status = DeliveryStatus::edit;
  store::DeliveryCounts counts;
  std::map<std::string, StoredRecipient> recipients;  // by address
};

class World {
 public:
  explicit World(Scenario scenario, std::size_t trace_lines = 60);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Plays the scenario. Afterwards everything below may be read.
  void play();

  [[nodiscard]] const Scenario& scenario() const { return scenario_; }
  [[nodiscard]] const Trace& trace() const { return trace_; }
  [[nodiscard]] const SimClock& clock() const { return clock_; }
  [[nodiscard]] SteadyInstant started() const { return started_; }
  [[nodiscard]] const Senders& senders() const { return *senders_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Receiver>>& receivers() const {
    return receivers_;
  }
  [[nodiscard]] const std::map<unsigned, RunEnd>& ends() const { return ends_; }
  // The most outcomes that were unrecorded at any moment, by run.
  [[nodiscard]] const std::map<unsigned, std::size_t>& unrecorded_most() const {
    return unrecorded_most_;
  }
  // By mailing; only those that the store has.
  [[nodiscard]] const std::map<std::size_t, StoredDelivery>& stored() const { return stored_; }
  // Addresses that the store held to be settled when a run ended, by that run.
  [[nodiscard]] const std::map<unsigned, std::vector<std::string>>& settled_before() const {
    return settled_before_;
  }
  // What went wrong on the way: things left behind, never coming to an end.
  [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  void make_names_and_receivers();
  void make_rules();
  void make_accounts();
  Surroundings surroundings();
  void start_engine();

  Task<void> run_script();
  Task<void> happen(Incident incident);
  [[nodiscard]] std::size_t connections() const;
  Task<void> crash(Crash crash);
  Task<void> restart(Restart restart);
  Task<void> end_engine(Microseconds grace);
  Task<void> wait_until_settled();
  Task<void> wait_until_idle();
  Task<void> sleep_until(Microseconds since_start);

  // Looked at whenever time is about to pass.
  void observe();
  [[noreturn]] void give_up(std::string_view why) const;
  [[nodiscard]] bool all_settled();
  void remember_settled();
  void read_store();
  void trouble(std::string what);

  const Scenario scenario_;
  SimClock clock_;
  const SteadyInstant started_ = clock_.steady_now();
  Trace trace_;
  Loop loop_;
  boost::asio::io_context outside_{1};
  MemoryStore store_{clock_};
  std::vector<store::Account> accounts_;
  std::unique_ptr<Disk> disk_;
  delivery::Options options_;
  delivery::policy::SiteRules rules_;
  Network network_{clock_};
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<Senders> senders_;
  std::unique_ptr<Engine> engine_;
  std::size_t recipients_ = 0;
  unsigned runs_ = 0;
  Milliseconds leapt_back_{};

  std::map<unsigned, RunEnd> ends_;
  std::map<unsigned, std::size_t> unrecorded_most_;
  std::map<std::size_t, StoredDelivery> stored_;
  std::map<unsigned, std::vector<std::string>> settled_before_;
  std::vector<std::string> troubles_;
};

}  // namespace todoku::sim
