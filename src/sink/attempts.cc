// SPDX-License-Identifier: Apache-2.0
#include "sink/attempts.h"

namespace todoku::sink {

std::optional<Attempts::Seen> Attempts::count(std::uint64_t key, Instant now) {
  Shard& shard = shards_[key % kShards];
  const std::lock_guard lock(shard.mutex);
  auto found = shard.seen.find(key);
  if (found == shard.seen.end()) {
    if (shard.seen.size() >= kKeysMax / kShards) return std::nullopt;
    found = shard.seen.emplace(key, Seen{.first = now}).first;
  }
  ++found->second.count;
  return found->second;
}

std::uint32_t Attempts::counted(std::uint64_t key) const {
  const Shard& shard = shards_[key % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.seen.find(key);
  return found == shard.seen.end() ? 0 : found->second.count;
}

}  // namespace todoku::sink
