// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/pools.h"

#include "base/digest.h"

namespace todoku::delivery::policy {
namespace {

// The finalizer of SplitMix64: every bit of the input moves every bit of the output.
std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

}  // namespace

std::optional<std::size_t> choose_source(std::span<const std::string> live, std::int64_t delivery,
                                         std::uint32_t batch) {
  const std::uint64_t key = mixed(static_cast<std::uint64_t>(delivery)) + batch;
  std::optional<std::size_t> best;
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    const std::uint64_t drawn = mixed(fnv1a64(live[i]) ^ mixed(key));
    const bool wins = !best || drawn > highest || (drawn == highest && live[i] < live[*best]);
    if (!wins) continue;
    best = i;
    highest = drawn;
  }
  return best;
}

std::string lane_name(std::string_view site, std::string_view source) {
  std::string name;
  name.reserve(site.size() + source.size() + 1);
  name += site;
  name += '\n';  // in neither of them
  name += source;
  return name;
}

}  // namespace todoku::delivery::policy
