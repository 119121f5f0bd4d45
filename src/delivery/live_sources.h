// SPDX-License-Identifier: Apache-2.0
// From which sources somebody sends: what schedulers and API nodes choose from (policy/pools.h)
// when they ring.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/trouble.h"
#include "delivery/policy/source_watch.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe.
class LiveSources {
 public:
  virtual ~LiveSources() = default;
  // Names, in one order everywhere. Empty: nobody sends, or it is not known yet.
  [[nodiscard]] virtual std::vector<std::string> live() const = 0;
};

// Where scheduler and courier are one process: everything configured.
class AllLiveSources final : public LiveSources {
 public:
  explicit AllLiveSources(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] std::vector<std::string> live() const override { return names_; }

 private:
  const std::vector<std::string> names_;
};

// Those with an owner that lives, as the store said 2 s ago at most. While the store does not
// answer, what it said last counts.
class StoredLiveSources final : public LiveSources {
 public:
  // Lives on `executor`. Everything given outlives it.
  StoredLiveSources(store::Store& store, const Clock& clock, async::Executor executor);

  void start();
  Task<void> stop();
  // Looks now; for who wants to know before it begins.
  Task<Result<void>> refresh();

  [[nodiscard]] std::vector<std::string> live() const override;

 private:
  Task<void> run();

  store::Store& store_;
  const Clock& clock_;
  policy::LivingWatch watch_{store::kNodeLease};
  bool stopping_ = false;
  Trouble asking_{log::Level::warning, "which sources are sent from cannot be asked",
                  "which sources are sent from can be asked again"};
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::string> live_;
  async::Executor executor_;
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery
