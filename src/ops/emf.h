// SPDX-License-Identifier: Apache-2.0
// Figures as CloudWatch reads them out of log lines: the Embedded Metric Format ("Specification:
// Embedded metric format", Amazon CloudWatch User Guide). One JSON object a line, for each role
// of a process; its only dimension is `role`. Pure.
//
// A custom metric costs each month, for each name and value of its dimensions: there are at most
// kEmfMetricsMax of them, whatever the number of processes, sites and accounts.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"

namespace todoku::ops {

inline constexpr std::size_t kEmfMetricsMax = 20;
// What POSIX writes to a pipe in one piece: lines of others come before or after, never between.
inline constexpr std::size_t kEmfLineMax = 4'096;

// Of `todoku lambda`, which has no figures but these.
inline constexpr std::string_view kLambdaRole = "lambda";
inline constexpr std::string_view kDeadLetters = "DeadLetters";
inline constexpr std::string_view kImports = "Imports";
inline constexpr std::string_view kImportFailures = "ImportFailures";

struct EmfValue {
  std::string_view name;
  std::string_view unit;  // of CloudWatch: "Count", "Seconds"
  double value = 0;
};

// Without the line break. Empty if there is no value; what is not finite is left out.
[[nodiscard]] std::string emf_line(std::string_view name_space, std::string_view role, Instant at,
                                   std::span<const EmfValue> values);

// What of the process's metrics is shown, and how much of each has come since the last time.
class EmfSelection {
 public:
  // From now on. `metrics` outlives it.
  explicit EmfSelection(const Metrics& metrics);

  // Of one role, in the order of the table. Counters as what was added since the last step().
  [[nodiscard]] std::vector<EmfValue> values(std::string_view role) const;
  // Looks at all metrics anew.
  void step();

  // Every name that is ever shown, for documents and tests.
  [[nodiscard]] static std::vector<std::string_view> names();

 private:
  struct Reading {
    double before = 0;
    double now = 0;
    bool there = false;
  };

  const Metrics& metrics_;
  std::vector<Reading> readings_;  // as in the table
};

}  // namespace todoku::ops
