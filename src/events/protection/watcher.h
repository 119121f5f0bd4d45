// SPDX-License-Identifier: Apache-2.0
// Reads the events of bulk mail, counts what became of it, and has done what follows (judging.h);
// and counts mail of any type by its tags (tag_tally.h), from which nothing follows.
// One process does so at a time (store/event_readers.h). What is counted, what follows and how far
// it has come are one commit: whenever it dies, nothing counts twice and nobody is paused twice.
//
// Lives on one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "events/protection/judging.h"
#include "events/protection/tag_tally.h"
#include "events/protection/tally.h"
#include "store/store.h"

namespace todoku::events::protection {

class Watcher {
 public:
  // Everything referred to outlives it.
  struct World {
    store::Store& store;
    const Clock& clock;
    Metrics& metrics;
    std::function<store::NodeKey()> node;  // this process
    std::function<bool()> holds;           // its lease; without it nothing is counted
    Receivers receivers;
    Milliseconds look_every = std::chrono::seconds(1);
  };
  Watcher(World world, ProtectionOptions options, async::Executor executor);

  void start();
  // From any executor; once. Another process may go on.
  Task<void> stop();

  // One turn, for tests: takes the reader if nobody has it, reads a page. True: at once again.
  Task<bool> turn();

 private:
  // How far it has come.
  struct Place {
    store::EventPlace after;
    store::AccountKey after_account{};
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct Figures {
    explicit Figures(Metrics& metrics);
    Counter& warned;
    Counter& paused;
    Gauge& warned_now;
    Gauge& paused_now;
  };
  // What a page of events says.
  struct Read {
    Tally tally;
    std::vector<store::RateIncrement> tags;  // beside those of the tally
    Heads heads;
    std::vector<store::DeliveryKey> started;
    Place next;
    bool more = false;
    bool lost = false;
  };

  Task<void> run();
  Task<void> stop_here();
  Task<bool> take();
  Task<Result<bool>> read_on();
  Task<void> show_levels();
  [[nodiscard]] Result<Read> read(store::ReadTransaction& transaction);
  [[nodiscard]] Result<void> add_heads(store::ReadTransaction& transaction,
                                       const store::EventPage& page, Read& read) const;
  [[nodiscard]] Result<std::vector<Consequence>> keep(store::WriteTransaction& transaction,
                                                      const Read& page) const;
  void tell(const std::vector<Consequence>& done);
  [[nodiscard]] static std::string pack(const Place& place);
  [[nodiscard]] static Result<Place> unpack(std::string_view packed);

  const World world_;
  const ProtectionOptions options_;
  async::Executor executor_;
  Figures figures_;
  std::optional<store::NodeKey> taken_as_;
  TagNames tag_names_;
  Place place_;  // as it is, and perhaps not stored as far as it is nothing but read past
  Place saved_;
  SteadyInstant save_at_{};
  SteadyInstant levels_at_{};
  bool stopping_ = false;
  Trouble trouble_{log::Level::warning, "bounces and complaints are not counted",
                   "bounces and complaints are counted again"};
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::events::protection
