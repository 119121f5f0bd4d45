// SPDX-License-Identifier: Apache-2.0
// Looks at the sources that can be sent from here on a schedule, and tells: log lines and figures
// for what fails, for listings and their ends, for rests and returns. doctor/ decides. A source
// whose address is elsewhere now neither rests nor fails here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
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
#include "base/trouble.h"
#include "delivery/source_set.h"
#include "doctor/blocklist.h"
#include "doctor/source_rest.h"
#include "store/store.h"

namespace todoku::app {

// Lives on one thread.
class SourceDoctor {
 public:
  struct Options {
    Microseconds every{};
    Microseconds lists_every{};
    std::vector<ExaminedSource> sources;  // everything configured
    std::vector<doctor::Blocklist> lists;
    doctor::SourceRest::Options rest;
  };
  struct World {
    SourceExaminer& examiner;
    delivery::SourceSet& rested;
    delivery::SourceSet& listed;  // on some blocklist
    // Whether a source's address is this host's.
    std::function<bool(const std::string& source)> is_here;
    const Clock& clock;
    Metrics& metrics;
    // Where processes are several: through which they tell each other of their looks; else null.
    store::Store* told_through = nullptr;
  };
  // All that `world` names outlives it.
  SourceDoctor(World world, Options options, const async::Executor& executor);

  void start();
  // To be awaited on the executor. What rests rests until the process has ended.
  Task<void> stop();

  // One look, as the schedule makes it.
  Task<void> look();

 private:
  struct Round;
  Task<void> run();
  Task<void> reconsider_often();
  Task<void> examine_some(std::shared_ptr<Round> round);
  Task<void> tell_and_hear(std::vector<doctor::SourceLook> looks);
  Task<void> ask_lists(std::vector<ExaminedSource> seen);
  void forget_elsewhere(std::span<const ExaminedSource> seen);
  void tell(std::span<const doctor::SourceRest::Change> changes);
  void tell(const doctor::ListingWatch::Change& change);
  void show_figures(const doctor::SourceLook& look);
  void show_check(const std::string& source, std::size_t check, bool fails);
  void show_rests();
  void show_listing(const doctor::BlocklistStanding& of, bool is_listed);
  void tell_who_is_listed();
  [[nodiscard]] std::vector<ExaminedSource> to_examine() const;

  const World world_;
  const Options options_;
  doctor::SourceRest rest_;
  doctor::ListingWatch listings_;
  Trouble telling_{log::Level::warning, "looks at sources are not told between processes",
                   "looks at sources are told between processes again"};
  std::optional<SteadyInstant> lists_asked_;
  std::set<std::string> shown_;  // sources that have figures of ours
  bool stopping_ = false;
  Counter& looks_;
  async::Executor executor_;
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
