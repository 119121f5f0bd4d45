// SPDX-License-Identifier: Apache-2.0
// Writes a line of figures for each role once a minute (ops/emf.h). What it costs is one collecting
// of figures a minute, as if somebody asked for /metrics.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "ops/collected.h"
#include "ops/emf.h"

namespace todoku::ops {

// Writes `line` and a line break to `file`, in one piece or not at all, and never waits: false if
// whoever reads there is behind or gone. At most kEmfLineMax octets with the break.
[[nodiscard]] bool write_whole_line(int file, std::string line);

class EmfReporter {
 public:
  struct Options {
    std::string name_space;
    std::vector<std::string> roles;  // of this process
    std::function<bool(std::string line)> write;
  };
  static constexpr Microseconds kEvery = std::chrono::minutes(1);

  // All outlive it.
  EmfReporter(Options options, Metrics& metrics, CollectedMetrics& collected, const Clock& clock,
              async::Executor executor);

  void start();
  // Returns when nothing of it runs. From any executor.
  Task<void> stop();
  // One line for each role that has something to show.
  Task<void> report();

 private:
  Task<void> run();

  const Options options_;
  CollectedMetrics& collected_;
  const Clock& clock_;
  EmfSelection selection_;
  Counter& lost_total_;
  Trouble writing_{log::Level::warning, "figures not written: nobody reads standard output",
                   "figures are written again"};
  async::Executor executor_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::ops
