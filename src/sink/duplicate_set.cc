// SPDX-License-Identifier: Apache-2.0
#include "sink/duplicate_set.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"

namespace todoku::sink {
namespace {

constexpr std::size_t kFirstSlots = 64;

// Where `hash` is, or the free slot where it belongs.
std::uint64_t& slot_of(std::vector<std::uint64_t>& slots, std::uint64_t hash) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash >> 6U) & mask;
  while (slots[at] != 0 && slots[at] != hash) at = (at + 1) & mask;
  return slots[at];
}

}  // namespace

void DuplicateSet::grow(Shard& shard) {
  std::vector<std::uint64_t> larger(shard.slots.empty() ? kFirstSlots : shard.slots.size() * 2);
  for (const std::uint64_t hash : shard.slots) {
    if (hash != 0) slot_of(larger, hash) = hash;
  }
  shard.slots = std::move(larger);
}

DuplicateSet::Arrival DuplicateSet::insert(std::string_view message_id,
                                           std::string_view recipient) {
  const std::uint64_t hash =
      std::max<std::uint64_t>(1, siphash64(siphash64(1, 2, message_id), 3, recipient));
  Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  if (shard.used * 4 >= shard.slots.size() * 3) {
    if (size() < entries_max_) grow(shard);
    if (shard.slots.empty()) return Arrival::untracked;
  }
  std::uint64_t& slot = slot_of(shard.slots, hash);
  if (slot == hash) return Arrival::again;
  if (size() >= entries_max_) return Arrival::untracked;
  slot = hash;
  ++shard.used;
  size_.fetch_add(1, std::memory_order_relaxed);
  return Arrival::first;
}

}  // namespace todoku::sink
