// SPDX-License-Identifier: Apache-2.0
// The state of one queue: which bell is ready, held or delayed, as a pure function of calls and
// time. No waiting, no thread, no clock of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "queue/queue.h"

namespace todoku::queue {

class BellLedger {
 public:
  BellLedger(std::size_t capacity, Milliseconds visibility)
      : capacity_(capacity), visibility_(visibility) {}

  // All of them or, if there is no room for all, none and false.
  [[nodiscard]] bool send(std::span<const Bell> bells, SteadyInstant now);
  // Up to `max` bells that are ready, those first that are ready for longest.
  [[nodiscard]] std::vector<ReceivedBell> receive(std::size_t max, SteadyInstant now);
  void acknowledge(const Receipt& receipt);
  void release(const Receipt& receipt, Milliseconds delay, SteadyInstant now);

  [[nodiscard]] Depth depth(SteadyInstant now);
  // When the next held or delayed bell becomes ready by itself; nullopt if there is none.
  [[nodiscard]] std::optional<SteadyInstant> next_ready_at() const;

 private:
  enum class State : std::uint8_t { ready, held, delayed };
  struct Entry {
    Bell bell;
    State state = State::ready;
    std::uint32_t times = 0;
    SteadyInstant at{};  // ready: since when; held, delayed: until when
  };
  using Entries = std::unordered_map<std::uint64_t, Entry>;
  // Ids in the order of their `at`.
  using Order = std::set<std::pair<SteadyInstant, std::uint64_t>>;

  // The entry of the receipt's bell if nobody has received it since; end() otherwise.
  [[nodiscard]] Entries::iterator find(const Receipt& receipt);
  void move(Entries::iterator entry, State state, SteadyInstant at);
  // Makes ready what is due.
  void pass_time(SteadyInstant now);
  [[nodiscard]] Order& order_of(State state) { return state == State::ready ? ready_ : waiting_; }

  const std::size_t capacity_;
  const Milliseconds visibility_;
  std::uint64_t next_id_ = 1;
  Entries entries_;
  Order ready_;
  Order waiting_;  // held and delayed
  std::size_t delayed_ = 0;
};

}  // namespace todoku::queue
