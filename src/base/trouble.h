// SPDX-License-Identifier: Apache-2.0
// Something that goes wrong for a while, as the log tells it: one line when it begins, one when it
// is over. On a full disk what is small may fit when what is large does not, so work fails and
// succeeds in turn: it is over only after it has gone well for a while.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace todoku {

// Thread-safe. Times are the caller's steady clock.
class Trouble {
 public:
  // Success for so long ends it. The line that it is over has the first one's event as `ends`, and
  // as `seconds` how long it lasted: from the first failure until it was done again.
  static constexpr Microseconds kQuiet = std::chrono::seconds(10);

  // The events of both lines, and what they are about where there are several of a kind; literals.
  Trouble(log::Level level, std::string_view begins, std::string_view is_over,
          std::string_view about = {})
      : level_(level), begins_(begins), is_over_(is_over), about_(about) {}

  // It failed again. `fields` go with the first line.
  void failed(SteadyInstant now, log::Fields fields) {
    const std::lock_guard lock(mutex_);
    last_ = now;
    well_since_.reset();
    ++failures_;
    if (active_) return;
    active_ = true;
    since_ = now;
    log::write(level_, begins_, fields);
  }

  // It was done. To be said each time: costs next to nothing where there is no trouble.
  void worked(SteadyInstant now) {
    if (!active_) return;
    const std::lock_guard lock(mutex_);
    if (!active_) return;
    if (!well_since_) well_since_ = now;
    if (now - last_ < kQuiet) return;
    const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(*well_since_ - since_);
    if (about_.empty()) {
      log::info(is_over_,
                {{"failures", failures_}, {"seconds", lasted.count()}, {"ends", begins_}});
    } else {
      log::info(is_over_, {{"about", about_},
                           {"failures", failures_},
                           {"seconds", lasted.count()},
                           {"ends", begins_}});
    }
    active_ = false;
    failures_ = 0;
  }

 private:
  const log::Level level_;
  const std::string_view begins_;
  const std::string_view is_over_;
  const std::string_view about_;
  std::atomic<bool> active_{false};
  std::mutex mutex_;  // guards what follows
  SteadyInstant since_{};
  SteadyInstant last_{};
  std::optional<SteadyInstant> well_since_;  // the first success after the last failure
  std::uint64_t failures_ = 0;
};

}  // namespace todoku
