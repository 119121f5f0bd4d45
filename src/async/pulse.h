// SPDX-License-Identifier: Apache-2.0
// Whether threads still turn: each is asked to answer, and one that does not is named. Nothing runs
// between questions. Knows nothing of what the threads do.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"

namespace todoku::async {

class Pulse {
 public:
  // Longer than anything that a thread does in one go, also on a machine that is short of
  // processors.
  static constexpr Milliseconds kSilentMax{30'000};

  // One executor for each thread. The clock must outlive this.
  Pulse(const Clock& clock, std::vector<Executor> threads);

  // Asks every thread that owes no answer, without waiting. Empty, or the sentence about the first
  // thread that has owed one for kSilentMax: so the first call is always fine, and who calls again
  // and again learns of a thread that stands still. Thread-safe; a thread holds one question at
  // most.
  [[nodiscard]] std::string problem();

 private:
  static constexpr std::int64_t kAnswered = -1;
  struct Thread {
    Executor executor;
    // When it was asked, in microseconds of the steady clock; kAnswered. Shared with the question,
    // which may outlive this.
    std::shared_ptr<std::atomic<std::int64_t>> asked;
  };

  const Clock& clock_;
  std::vector<Thread> threads_;
};

}  // namespace todoku::async
