// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/pools.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/digest.h"
#include "mail/address.h"

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

bool fits(const PoolRule& rule, const Sender& sender) {
  if (!rule.account.empty() && rule.account != sender.account) return false;
  if (rule.traffic && *rule.traffic != sender.traffic) return false;
  if (rule.purpose && *rule.purpose != sender.purpose) return false;
  const std::string_view wanted = rule.from_domain;
  if (wanted.empty()) return true;
  if (!wanted.starts_with("*.")) return wanted == sender.from_domain;
  const std::string_view below = wanted.substr(1);  // ".x"
  return sender.from_domain.size() > below.size() && sender.from_domain.ends_with(below);
}

std::string sender_domain(std::string_view address) {
  const std::string_view domain = address.substr(address.rfind('@') + 1);
  auto ascii = to_ascii_domain(domain);
  return ascii ? std::move(*ascii) : std::string(domain);
}

Pools::Pools(std::vector<PoolMember> members) {
  Pool& rest = pools_.front();
  rest.members = std::move(members);
  for (const PoolMember& member : rest.members) {
    rest.plain = rest.plain && !member.only && member.weight == rest.members.front().weight;
  }
}

Pools::Pools(std::vector<PoolMember> members, std::vector<NamedPool> named,
             std::vector<PoolRule> rules)
    : Pools(std::move(members)) {
  std::vector<PoolMember> left = pools_.front().members;
  for (NamedPool& each : named) {
    Pool pool{.name = std::move(each.name)};
    for (const std::string& source : each.sources) {
      const PoolMember* const member = find(pools_.front(), source);
      if (member == nullptr) continue;
      pool.members.push_back(*member);
      std::erase_if(left, [&](const PoolMember& other) { return other.name == source; });
    }
    pools_.push_back(std::move(pool));
  }
  if (pools_.size() > 1 && !left.empty()) {
    pools_.front() = {.name = {}, .members = std::move(left), .open = false, .plain = false};
  }
  for (PoolRule& rule : rules) {
    const auto found = std::ranges::find(pools_.begin() + 1, pools_.end(), rule.pool, &Pool::name);
    if (found == pools_.end()) continue;
    rules_.push_back({std::move(rule), static_cast<Place>(found - pools_.begin())});
  }
}

bool Pools::asks_for_account() const {
  return std::ranges::any_of(rules_,
                             [](const PlacedRule& each) { return !each.rule.account.empty(); });
}

Pools::Place Pools::pool_of(const Sender& sender) const {
  for (const auto& [rule, pool] : rules_) {
    if (fits(rule, sender)) return pool;
  }
  return kRest;
}

const PoolMember* Pools::find(const Pool& pool, std::string_view name) {
  const auto found = std::ranges::find(pool.members, name, &PoolMember::name);
  return found == pool.members.end() ? nullptr : &*found;
}

bool Pools::sends(const Pool& pool, const PoolMember* member, TrafficClass traffic) {
  if (member == nullptr && !pool.open) return false;
  if (member != nullptr && member->only == traffic) return true;
  const bool has_its_own = std::ranges::any_of(
      pool.members, [&](const PoolMember& each) { return each.only == traffic; });
  if (has_its_own) return false;
  if (member == nullptr || !member->only) return true;
  // Everything is reserved for the other class.
  return std::ranges::all_of(pool.members,
                             [](const PoolMember& each) { return each.only.has_value(); });
}

std::optional<std::size_t> Pools::choose(std::span<const std::string> live, Place place,
                                         TrafficClass traffic, std::int64_t delivery,
                                         std::uint32_t batch) const {
  const Pool& pool = pools_[place];
  if (pool.plain) return choose_source(live, delivery, batch);
  const std::uint64_t key = key_of(delivery, batch);
  std::optional<std::size_t> best;
  double lowest = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    const PoolMember* const member = find(pool, live[i]);
    if (!sends(pool, member, traffic)) continue;
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

std::vector<SharedMail> Pools::shared_mail() const {
  std::vector<SharedMail> all;
  for (const Pool& pool : pools_) {
    for (const TrafficClass traffic : {TrafficClass::transactional, TrafficClass::bulk}) {
      SharedMail mail{.sources = {}, .is_open = sends(pool, nullptr, traffic)};
      for (const PoolMember& member : pool.members) {
        if (sends(pool, &member, traffic)) mail.sources.push_back(member.name);
      }
      if (std::ranges::find(all, mail) == all.end()) all.push_back(std::move(mail));
    }
  }
  return all;
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
