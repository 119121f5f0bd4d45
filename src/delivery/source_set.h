// SPDX-License-Identifier: Apache-2.0
// Names of sources that somebody tells and others ask for: those that rest, those that are on a
// blocklist. doctor/ decides which they are.
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
class SourceSet {
 public:
  void set(std::vector<std::string> names) {
    const std::lock_guard lock(mutex_);
    names_ = std::move(names);
  }
  [[nodiscard]] bool contains(std::string_view source) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(names_, source) != names_.end();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

// Where scheduler and courier are one process: everything configured that does not rest. Nothing
// new is given to what rests; what it holds goes out, and what becomes due again goes to others.
class SparedLiveSources final : public LiveSources {
 public:
  // `rested` outlives it.
  SparedLiveSources(std::vector<std::string> names, const SourceSet& rested)
      : names_(std::move(names)), rested_(rested) {}
  [[nodiscard]] std::vector<std::string> live() const override {
    std::vector<std::string> live = names_;
    std::erase_if(live, [this](const std::string& name) { return rested_.contains(name); });
    return live;
  }

 private:
  const std::vector<std::string> names_;
  const SourceSet& rested_;
};

}  // namespace todoku::delivery
