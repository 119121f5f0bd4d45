// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/pools.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/digest.h"

namespace todoku::delivery::policy {
namespace {

// The finalizer of SplitMix64: every bit of the input moves every bit of the output.
std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

std::uint64_t key_of(std::int64_t delivery, std::uint32_t batch) {
  return mixed(mixed(static_cast<std::uint64_t>(delivery)) + batch);
}

std::uint64_t drawn_by(std::string_view source, std::uint64_t key) {
  return mixed(fnv1a64(source) ^ key);
}

// The middle of one of 2^53 equal parts of the unit interval: neither 0 nor 1.
double unit_of(std::uint64_t drawn) {
  return (static_cast<double>(drawn >> 11U) + 0.5) * 0x1.0p-53;
}

}  // namespace

std::optional<std::size_t> choose_source(std::span<const std::string> live, std::int64_t delivery,
                                         std::uint32_t batch) {
  const std::uint64_t key = key_of(delivery, batch);
  std::optional<std::size_t> best;
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    const std::uint64_t drawn = drawn_by(live[i], key);
    const bool wins = !best || drawn > highest || (drawn == highest && live[i] < live[*best]);
    if (!wins) continue;
    best = i;
    highest = drawn;
  }
  return best;
}

Pools::Pools(std::vector<PoolMember> members) : members_(std::move(members)) {
  for (const PoolMember& member : members_) {
    plain_ = plain_ && !member.only && member.weight == members_.front().weight;
  }
}

const PoolMember* Pools::find(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &PoolMember::name);
  return found == members_.end() ? nullptr : &*found;
}

bool Pools::sends(const PoolMember* member, TrafficClass traffic) const {
  if (member != nullptr && member->only == traffic) return true;
  const bool has_its_own =
      std::ranges::any_of(members_, [&](const PoolMember& each) { return each.only == traffic; });
  if (has_its_own) return false;
  if (member == nullptr || !member->only) return true;
  // Everything is reserved for the other class.
  return std::ranges::all_of(members_,
                             [](const PoolMember& each) { return each.only.has_value(); });
}

std::optional<std::size_t> Pools::choose(std::span<const std::string> live, TrafficClass traffic,
                                         std::int64_t delivery, std::uint32_t batch) const {
  if (plain_) return choose_source(live, delivery, batch);
  const std::uint64_t key = key_of(delivery, batch);
  std::optional<std::size_t> best;
  double lowest = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    const PoolMember* const member = find(live[i]);
    if (!sends(member, traffic)) continue;
    const std::uint32_t weight = member == nullptr ? 1 : member->weight;
    // One of no weight bids infinity.
    const double bid = -std::log(unit_of(drawn_by(live[i], key))) / weight;
    const bool wins = !best || bid < lowest || (bid == lowest && live[i] < live[*best]);
    if (!wins) continue;
    best = i;
    lowest = bid;
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
