// SPDX-License-Identifier: Apache-2.0
// Which exports and erasures are on record already (docs/personal-data.md): their parts come call
// by call, and one line is of them all.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "store/keys.h"

namespace todoku::operate {

// Thread-safe, bounded.
class NotedAsks {
 public:
  static constexpr std::size_t kMax = 10'000;  // then all are forgotten
  static constexpr Microseconds kWhile = std::chrono::minutes(10);

  // By whom, from where, what, of which account (kInstallation: of all) and address.
  using Ask = std::tuple<std::string, std::string, std::string, store::AccountKey, std::string>;

  [[nodiscard]] bool is_noted(const Ask& ask, SteadyInstant now) const {
    const std::lock_guard lock(mutex_);
    const auto found = noted_.find(ask);
    return found != noted_.end() && now < found->second + kWhile;
  }
  void add(Ask ask, SteadyInstant now) {
    const std::lock_guard lock(mutex_);
    if (noted_.size() >= kMax) noted_.clear();
    noted_.insert_or_assign(std::move(ask), now);
  }

 private:
  mutable std::mutex mutex_;
  std::map<Ask, SteadyInstant> noted_;
};

}  // namespace todoku::operate
