// SPDX-License-Identifier: Apache-2.0
// The memory in which mails are composed, of all connections together. A mail exists in memory only
// while it is sent, but ten thousand connections with a mail of some megabytes each would be tens
// of gigabytes. Who finds no room stands in line, transactional mail first.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "async/task.h"
#include "base/clock.h"
#include "delivery/work.h"
#include "mail/states.h"

namespace todoku::delivery::egress {

// Thread-safe. Outlives all shares.
class ComposingMemory {
 public:
  // `octets` >= 1.
  explicit ComposingMemory(std::size_t octets);
  ComposingMemory(const ComposingMemory&) = delete;
  ComposingMemory& operator=(const ComposingMemory&) = delete;

  // Room for a mail; gives it back when it dies.
  class Share {
   public:
    Share() = default;
    Share(ComposingMemory& memory, std::size_t octets) : memory_(&memory), octets_(octets) {}
    Share(Share&& other) noexcept
        : memory_(std::exchange(other.memory_, nullptr)), octets_(other.octets_) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(memory_, other.memory_);
      std::swap(octets_, other.octets_);
      return *this;
    }
    // It turned out to be less: what a mail shares with others of its delivery is not composed.
    void shrink_to(std::size_t octets) noexcept {
      if (memory_ == nullptr || octets >= octets_) return;
      memory_->give_back(std::exchange(octets_, octets) - octets);
    }
    ~Share() {
      if (memory_ != nullptr) memory_->give_back(octets_);
    }

   private:
    ComposingMemory* memory_ = nullptr;
    std::size_t octets_ = 0;
  };

  // Waits for room until `deadline`; nullopt then, or if the task was cancelled. A mail larger than
  // the whole is given the whole: it goes alone. One line for each class, in which nobody
  // overtakes: a large mail would wait for ever.
  [[nodiscard]] Task<std::optional<Share>> share(std::size_t octets, TrafficClass traffic,
                                                 SteadyInstant deadline);

  [[nodiscard]] std::size_t used() const;

 private:
  struct Ticket;
  using Line = std::deque<std::shared_ptr<Ticket>>;

  // With the lock.
  [[nodiscard]] bool fits(std::size_t octets) const { return used_ + octets <= octets_; }
  [[nodiscard]] Line& line_of(TrafficClass traffic) {
    return traffic == TrafficClass::transactional ? urgent_line_ : bulk_line_;
  }

  void give_back(std::size_t octets) noexcept;
  void wake_next() noexcept;
  // The first in line for whom there is room now; it has its share then.
  [[nodiscard]] std::shared_ptr<Ticket> next() noexcept;

  const std::size_t octets_;
  mutable std::mutex mutex_;
  std::size_t used_ = 0;
  Line urgent_line_;
  Line bulk_line_;
};

}  // namespace todoku::delivery::egress
