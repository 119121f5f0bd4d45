// SPDX-License-Identifier: Apache-2.0
// A message on its way into the store: in memory until it is committed with everything else of it.
// What all of them have in memory is bounded; beyond that a message is refused for now, and nothing
// that was accepted is touched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"

namespace todoku::relay {

// Thread-safe.
class ContentRoom {
 public:
  explicit ContentRoom(std::size_t octets_max) : octets_max_(octets_max) {}

  // False: there is no room for so much more.
  [[nodiscard]] bool take(std::size_t octets) {
    if (used_.fetch_add(octets) + octets <= octets_max_) return true;
    used_.fetch_sub(octets);
    return false;
  }
  void give_back(std::size_t octets) { used_.fetch_sub(octets); }
  [[nodiscard]] std::size_t used() const { return used_.load(); }

 private:
  const std::size_t octets_max_;
  std::atomic<std::size_t> used_{0};
};

// For one message at a time.
class ContentKeeper {
 public:
  // The room outlives it.
  explicit ContentKeeper(ContentRoom& room) : room_(room) {}
  ContentKeeper(const ContentKeeper&) = delete;
  ContentKeeper& operator=(const ContentKeeper&) = delete;
  ~ContentKeeper() { abandon(); }

  // The next octets of the message; `octets` is empty afterwards, its memory stays. Errors:
  // unavailable (no room).
  [[nodiscard]] Result<void> take(std::string& octets);
  // All of them, whose room is still taken until abandon().
  [[nodiscard]] std::string finish() { return std::move(message_); }
  // The message is over: its memory and its room are given back.
  void abandon();

  [[nodiscard]] std::uint64_t octets() const { return taken_; }

 private:
  ContentRoom& room_;
  std::string message_;
  std::size_t taken_ = 0;
};

}  // namespace todoku::relay
