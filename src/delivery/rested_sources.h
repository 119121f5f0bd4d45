// SPDX-License-Identifier: Apache-2.0
// Sources that rest: nothing new is given to them. What they hold goes out, and what becomes due
// again goes to others. doctor/source_rest.h decides; here it is kept for whoever chooses.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "delivery/live_sources.h"

namespace todoku::delivery {

// Thread-safe.
class RestedSources {
 public:
  void set(std::vector<std::string> names) {
    const std::lock_guard lock(mutex_);
    names_ = std::move(names);
  }
  [[nodiscard]] bool rests(std::string_view source) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(names_, source) != names_.end();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

// Where scheduler and courier are one process: everything configured that does not rest.
class SparedLiveSources final : public LiveSources {
 public:
  // `rested` outlives it.
  SparedLiveSources(std::vector<std::string> names, const RestedSources& rested)
      : names_(std::move(names)), rested_(rested) {}
  [[nodiscard]] std::vector<std::string> live() const override {
    std::vector<std::string> live = names_;
    std::erase_if(live, [this](const std::string& name) { return rested_.rests(name); });
    return live;
  }

 private:
  const std::vector<std::string> names_;
  const RestedSources& rested_;
};

}  // namespace todoku::delivery
