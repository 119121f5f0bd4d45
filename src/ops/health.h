// SPDX-License-Identifier: Apache-2.0
// Is the engine alive, is it ready for work: /healthz, /readyz, /metrics.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "http/router.h"
#include "ops/collected.h"
#include "store/store.h"

namespace todoku::ops {

// Something that has to be right before work may come. `probe` gives the reason if it is not.
struct Check {
  std::string name;
  std::function<Task<Result<void>>()> probe;
};

struct CheckResult {
  std::string name;
  std::string problem;  // empty: fine
};

// Whether work may come. Checks are probed when somebody asks, at most once in `kFresh`, however
// many ask. Thread-safe.
class Readiness {
 public:
  static constexpr Milliseconds kFresh{2'000};

  Readiness(const Clock& clock, std::vector<Check> checks)
      : clock_(clock), checks_(std::move(checks)) {}

  // Before anybody asks.
  void add(Check check) { checks_.push_back(std::move(check)); }
  // What is wrong with the process itself, which nothing but its end can mend; empty: nothing. Must
  // not wait. Before anybody asks.
  void alive_while(std::function<std::string()> problem) { fatal_ = std::move(problem); }
  [[nodiscard]] std::string fatal() const { return fatal_ ? fatal_() : std::string(); }
  // Not ready before started(), nor from start_draining() on.
  void started() { phase_ = Phase::running; }
  void start_draining() { phase_ = Phase::draining; }
  [[nodiscard]] bool draining() const { return phase_ == Phase::draining; }

  Task<std::vector<CheckResult>> check();
  // Whether some check() has found nothing wrong since this process began.
  [[nodiscard]] bool was_ready() const { return was_ready_; }

 private:
  enum class Phase : std::uint8_t { starting, running, draining };
  [[nodiscard]] CheckResult engine_check() const;
  std::vector<CheckResult> with_engine(std::vector<CheckResult> results);

  const Clock& clock_;
  std::vector<Check> checks_;
  std::function<std::string()> fatal_;
  std::atomic<Phase> phase_{Phase::starting};
  std::atomic<bool> was_ready_{false};
  std::mutex mutex_;
  std::optional<SteadyInstant> probed_;
  std::vector<CheckResult> results_;
};

// Proves that the store commits.
[[nodiscard]] Check store_check(store::Store& store, const Clock& clock);

// GET /healthz: 200 as long as the process lives: it answers, and nothing about it is fatal(). Else
// 500, and not 503, which says "later": who asks is to end the process. The state of the store, of
// receivers or of a drain is no part of it. It tells beside that whether this process was ready
// once: one that never was is better given up than waited for. GET /readyz: 200 or 503, with each
// check.
void add_health_routes(http::Router& router, Readiness& readiness);

// GET /metrics. With `local_only` other clients than those of loopback and private addresses are
// told that there is no such thing: for a listener that the world may reach.
void add_metrics_route(http::Router& router, const Metrics& metrics, CollectedMetrics& collected,
                       bool local_only);

}  // namespace todoku::ops
