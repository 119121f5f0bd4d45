// SPDX-License-Identifier: Apache-2.0
// Processes that want to lead and to send from the same sources, over one store: who leads and who
// sends from what, and that it is never two at once. Real are the node, its leadership, its sources
// and who looks after the dead (delivery/node.h, leadership.h, sources.h, scheduler/node_watcher.h)
// and all SQL; a scheduler only looks after nodes here, and a mail is a time during which a
// connection is in a process's hands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "async/task_group.h"
#include "sim/loop.h"
#include "sim/memory_store.h"
#include "sim/play.h"
#include "sim/rival.h"
#include "sim/scenario.h"
#include "sim/store.h"
#include "sim/trace.h"

namespace todoku::sim {

// An address is taken from its host; other hosts have it.
struct AddressAway {
  Microseconds lasts{};
  std::size_t node = 0;
  std::size_t source = 0;
};

struct RivalIncident {
  Microseconds at{};
  std::variant<Crash, Restart, ClockLeap, NodeClockLeap, Stall, StoreAway, DiskFull, AddressAway>
      what;
};

struct RivalScript {
  std::uint64_t seed = 0;
  std::size_t nodes = 2;
  std::size_t sources = 2;
  std::vector<RivalIncident> incidents;
  StoreScript store;
  Safeguards safeguards;
};

[[nodiscard]] RivalScript generate_rivals(std::uint64_t seed);

class Rivals {
 public:
  explicit Rivals(RivalScript script, std::size_t trace_lines = 80);
  ~Rivals();
  Rivals(const Rivals&) = delete;
  Rivals& operator=(const Rivals&) = delete;

  // Plays until a minute after the last incident, then stops all in order. Afterwards everything
  // below may be read.
  void play();

  // Who did what from then on, by number of the node.
  struct Moment {
    Microseconds at{};  // since the beginning
    std::optional<std::size_t> leader;
    std::map<std::string, std::size_t> owners;  // of sources, where something may be begun
  };
  [[nodiscard]] const std::vector<Moment>& moments() const { return moments_; }
  // As it was then.
  [[nodiscard]] const Moment& at(Microseconds when) const;
  [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }
  [[nodiscard]] const Trace& trace() const { return trace_; }
  [[nodiscard]] const SimClock& clock() const { return clock_; }
  [[nodiscard]] Figures figures() const;

 private:
  struct Place {
    explicit Place(const SimClock& world) : clock(world) {}
    NodeClock clock;
    std::unique_ptr<Rival> rival;
    bool busy = false;
    bool stalled = false;
    std::map<std::string, Microseconds> away_until;  // sources whose address is not here
  };

  [[nodiscard]] RivalSurroundings surroundings(std::size_t place);
  void start(std::size_t place);
  Task<void> end(std::size_t place);
  Task<void> run_script();
  Task<void> happen(RivalIncident incident);
  Task<void> crash(Crash crash);
  Task<void> restart(Restart restart);
  Task<void> stall(Stall stall);
  Task<void> sleep_until(Microseconds since_start);
  // Looked at whenever time is about to pass.
  void observe();
  void check_all_is_owned();
  void check_nothing_is_left();
  void trouble(std::string what);
  [[noreturn]] void give_up(std::string_view why) const;

  const RivalScript script_;
  SimClock clock_;
  Trace trace_;
  Loop loop_;
  boost::asio::io_context outside_{1};
  MemoryStore store_{clock_};
  Disk disk_;
  Hands hands_;
  std::vector<std::string> sources_;
  std::vector<std::unique_ptr<Place>> places_;
  unsigned runs_ = 0;
  std::vector<Moment> moments_;
  std::vector<std::string> troubles_;
  async::TaskGroup incidents_{outside_.get_executor()};
};

// A seed of rivals, without some of what keeps them apart.
[[nodiscard]] Played play_rivals(std::uint64_t seed, const Safeguards& safeguards = {},
                                 std::size_t story_lines = 80);

}  // namespace todoku::sim
