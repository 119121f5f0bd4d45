// SPDX-License-Identifier: Apache-2.0
// Which (Message-ID, recipient) pairs have arrived: a set of 64-bit hashes with a fixed bound.
//
// Two different pairs among n share a hash with probability n^2 / 2^65: three in a million for ten
// million mails, so a duplicate that is reported is one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

namespace todoku::sink {

// All members are thread-safe.
class DuplicateSet {
 public:
  enum class Arrival : std::uint8_t {
    first,
    again,
    untracked,  // the set is full and the pair is not in it
  };

  // Memory: 8 octets a slot, at most 3/4 of the slots used, so about 16 octets an entry.
  explicit DuplicateSet(std::uint64_t entries_max) : entries_max_(entries_max) {}

  [[nodiscard]] Arrival insert(std::string_view message_id, std::string_view recipient);
  [[nodiscard]] std::uint64_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kShards = 64;  // also keeps each growth short
  struct Shard {
    std::mutex mutex;
    std::vector<std::uint64_t> slots;  // 0: free
    std::size_t used = 0;
  };

  static void grow(Shard& shard);

  const std::uint64_t entries_max_;
  std::atomic<std::uint64_t> size_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace todoku::sink
