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
  SteadyInstant at{};
};

// A time in which a run counted as dead for the store and went on, until it had entered anew; and
// what it may have sent by then without the store knowing.
struct Lapse {
  SteadyInstant from{};
  SteadyInstant until = SteadyInstant::max();
  std::size_t unrecorded = 0;
  std::size_t in_hand = 0;
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
  [[nodiscard]] const std::map<unsigned, std::vector<Lapse>>& lapses() const { return lapses_; }
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
  // One machine: the runs of the engine there, one after the other.
  struct Place {
    explicit Place(const SimClock& world) : clock(world) {}
    NodeClock clock;
    std::unique_ptr<Engine> engine;
    store::NodeKey key = store::kNobody;  // as which its engine works
    Lapse seen;                           // at the last look
    bool busy = false;     // something is done to its engine, which is not to be used
    bool stalled = false;  // it stands still
  };

  Surroundings surroundings(std::size_t place);
  void start_engine(std::size_t place);

  Task<void> run_script();
  // The next one that takes mail.
  Task<Engine*> somebody();
  Task<void> happen(Incident incident);
  [[nodiscard]] std::size_t connections(const Engine& engine) const;
  Task<void> crash(Crash crash);
  Task<void> restart(Restart restart);
  Task<void> stall(Stall stall);
  Task<void> end_engine(std::size_t place, Microseconds grace);
  void stray(std::size_t from, const queue::Channel& channel, const queue::Bell& bell);
  void watch_leases();
  Task<void> wait_until_idle(Engine& engine);
  Task<void> wait_until_settled();
  Task<void> sleep_until(Microseconds since_start);

  // Looked at whenever time is about to pass.
  void observe();
  [[noreturn]] void give_up(std::string_view why) const;
  [[nodiscard]] bool all_settled();
  void remember_settled(unsigned run);
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
  delivery::Options engine_options_;  // as the engine has them: with planted faults
  delivery::policy::SiteRules rules_;
  Network network_{clock_};
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<Senders> senders_;
  std::vector<std::unique_ptr<Place>> places_;
  std::size_t next_place_ = 0;
  SeededRandom stray_random_{scenario_.seed};
  SteadyInstant leases_watched_{};
  async::TaskGroup incidents_{outside_.get_executor()};
  std::size_t recipients_ = 0;
  unsigned runs_ = 0;
  Milliseconds leapt_back_{};

  std::map<unsigned, RunEnd> ends_;
  std::map<unsigned, std::vector<Lapse>> lapses_;
  std::map<unsigned, std::size_t> unrecorded_most_;
  std::map<std::size_t, StoredDelivery> stored_;
  std::map<unsigned, std::vector<std::string>> settled_before_;
  std::vector<std::string> troubles_;
};

}  // namespace todoku::sim
