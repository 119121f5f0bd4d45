// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "mail/attempt.h"

namespace todoku::smtp {

// What a connection waits for just now, for other threads to look at: a moment old, and its parts
// not of the very same moment.
class Awaited {
 public:
  struct Sight {
    Stage stage = Stage::none;
    bool content_is_out = false;  // all of it: the mail may arrive, whatever happens now
    SteadyInstant until{};        // then the waiting ends; zero: not known
  };

  void set(const Sight& sight) noexcept {
    until_.store(sight.until.time_since_epoch().count(), std::memory_order_relaxed);
    content_is_out_.store(sight.content_is_out, std::memory_order_relaxed);
    stage_.store(sight.stage, std::memory_order_relaxed);
  }
  [[nodiscard]] Sight get() const noexcept {
    return {
        .stage = stage_.load(std::memory_order_relaxed),
        .content_is_out = content_is_out_.load(std::memory_order_relaxed),
        .until = SteadyInstant(SteadyInstant::duration(until_.load(std::memory_order_relaxed)))};
  }

 private:
  std::atomic<Stage> stage_{Stage::none};
  std::atomic<bool> content_is_out_{false};
  std::atomic<SteadyInstant::rep> until_{0};
};

}  // namespace todoku::smtp
