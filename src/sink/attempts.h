// SPDX-License-Identifier: Apache-2.0
// A receiver's memory of who tried before: for greylisting and for odds that change by attempt.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/clock.h"

namespace todoku::sink {

// All members are thread-safe.
class Attempts {
 public:
  // Keys remembered; about 60 octets each. Later ones are unknown for good.
  static constexpr std::size_t kKeysMax = 2'000'000;

  struct Seen {
    Instant first;
    std::uint32_t count = 0;  // with this one
  };

  // Counts an attempt. nullopt: the memory is full and this key is not in it.
  [[nodiscard]] std::optional<Seen> count(std::uint64_t key, Instant now);
  // Attempts counted so far.
  [[nodiscard]] std::uint32_t counted(std::uint64_t key) const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, Seen> seen;
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace todoku::sink
