// SPDX-License-Identifier: Apache-2.0
// One of the processes of rivals.h, from its start to its end in order or in a crash.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task_group.h"
#include "base/metrics.h"
#include "base/random.h"
#include "delivery/leadership.h"
#include "delivery/live_sources.h"
#include "delivery/node.h"
#include "delivery/scheduler/node_watcher.h"
#include "delivery/sources.h"
#include "sim/clock.h"
#include "sim/scenario.h"
#include "sim/store.h"
#include "sim/trace.h"

namespace todoku::sim {

// Which runs have mails in hand, by source: what a receiver sees of it.
class Hands {
 public:
  explicit Hands(std::function<void(std::string)> trouble) : trouble_(std::move(trouble)) {}

  // Trouble, if another run has some of the same source in hand.
  void begin(unsigned run, const std::string& source);
  void end(unsigned run, const std::string& source);
  [[nodiscard]] bool any(unsigned run, const std::string& source) const;
  [[nodiscard]] std::size_t of(unsigned run) const;
  // It died, and its connections with it.
  void cut(unsigned run);
  // It stands still with what it has in hand, which nobody can help.
  void excuse(unsigned run);
  [[nodiscard]] std::size_t begun() const { return begun_; }

 private:
  struct Mail {
    unsigned run = 0;
    bool excused = false;
  };
  const std::function<void(std::string)> trouble_;
  std::map<std::string, std::vector<Mail>> mails_;
  std::size_t begun_ = 0;
};

// What every run finds. All outlives the runs.
struct RivalSurroundings {
  const SimClock& clock;
  const NodeClock& own_clock;
  std::string name;  // of the node
  std::uint64_t seed = 0;
  Trace& trace;
  Disk& disk;
  Hands& hands;
  const Safeguards& safeguards;
  std::vector<std::string> sources;
  std::function<bool(const std::string& source)> is_here;
  async::Executor outside;
};

class Rival {
 public:
  Rival(RivalSurroundings surroundings, unsigned run);

  [[nodiscard]] unsigned run() const { return run_; }
  [[nodiscard]] async::Runtime& runtime() { return runtime_; }
  [[nodiscard]] FaultyStore& store() { return store_; }
  // Whether its scheduler acts.
  [[nodiscard]] bool leads();
  // What it may begin mails from.
  [[nodiscard]] std::vector<std::string> sends_from() const;
  [[nodiscard]] std::vector<std::string> live() const { return live_.live(); }

  void start();
  void die();
  // In order, or dead. To be awaited outside.
  Task<void> stop();
  [[nodiscard]] bool is_over();

 private:
  [[nodiscard]] delivery::SourceKeeper::Options keeping() const;
  Task<void> schedule();
  Task<void> send(std::string source);
  Task<void> mail(std::string source, Microseconds length);
  Task<void> end_mails();
  Task<void> end();

  RivalSurroundings s_;
  const unsigned run_;
  bool dead_ = false;
  bool stopping_ = false;
  SteadyInstant led_{};
  SeededRandom random_;
  Metrics metrics_;
  async::Runtime runtime_{1};
  FaultyStore store_;
  const std::unique_ptr<delivery::Node> node_;
  delivery::Leadership leadership_;
  delivery::SourceKeeper keeper_;
  delivery::StoredLiveSources live_;
  delivery::scheduler::NodeWatcher watcher_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::sim
