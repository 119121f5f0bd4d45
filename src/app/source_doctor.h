// SPDX-License-Identifier: Apache-2.0
// Looks at the sources that can be sent from here on a schedule, and tells: log lines and figures
// for what fails, for listings and their ends, for rests and returns. doctor/ decides.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/source_examination.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/source_set.h"
#include "doctor/blocklist.h"
#include "doctor/source_rest.h"

namespace todoku::app {

// Lives on one thread.
class SourceDoctor {
 public:
  struct Options {
    Microseconds every{};
    Microseconds lists_every{};
    std::vector<ExaminedSource> sources;  // everything configured: the pool
    std::vector<doctor::Blocklist> lists;
    doctor::SourceRest::Options rest;
  };
  struct World {
    SourceExaminer& examiner;
    delivery::SourceSet& rested;
    delivery::SourceSet& listed;  // on some blocklist
    // Whether a source's address is this host's.
    std::function<bool(const std::string& source)> is_here;
    // From which sources anybody sends, as far as is known.
    std::function<std::vector<std::string>()> live;
    const Clock& clock;
    Metrics& metrics;
  };
  // All that `world` names outlives it.
  SourceDoctor(World world, Options options, const async::Executor& executor);

  void start();
  // To be awaited on the executor. What rests rests until the process has ended.
  Task<void> stop();

  // One look, as the schedule makes it.
  Task<void> look();

 private:
  Task<void> run();
  Task<void> ask_lists(std::vector<ExaminedSource> seen);
  void reconsider();
  void tell(std::span<const doctor::SourceRest::Change> changes);
  void tell(const doctor::ListingWatch::Change& change);
  void show_figures(const doctor::SourceLook& look);
  [[nodiscard]] std::vector<ExaminedSource> to_examine() const;

  const World world_;
  const Options options_;
  std::vector<std::string> pool_;
  doctor::SourceRest rest_;
  doctor::ListingWatch listings_;
  std::optional<SteadyInstant> lists_asked_;
  bool stopping_ = false;
  Counter& looks_;
  async::Executor executor_;
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
