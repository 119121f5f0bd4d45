// SPDX-License-Identifier: Apache-2.0
// So many lines of the log in a window of time, so that whoever makes us write lines cannot fill
// the disk. What is left out is counted, and told with the next line that is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace todoku {

// Thread-safe.
class LineBudget {
 public:
  LineBudget(std::size_t lines, Milliseconds window) : lines_(lines), window_(window) {}

  // nullopt: there is no room for a line. Else the line is to be written, and before it so many
  // were left out since the last one.
  [[nodiscard]] std::optional<std::uint64_t> take(SteadyInstant now) {
    const std::lock_guard lock(mutex_);
    if (!until_ || now >= *until_) {
      left_ = lines_;
      until_ = now + window_;
    }
    if (left_ == 0) {
      ++unsaid_;
      return std::nullopt;
    }
    --left_;
    return std::exchange(unsaid_, 0);
  }

 private:
  const std::size_t lines_;
  const Milliseconds window_;
  std::mutex mutex_;
  std::size_t left_ = 0;
  std::optional<SteadyInstant> until_;
  std::uint64_t unsaid_ = 0;
};

}  // namespace todoku
