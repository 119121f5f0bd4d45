// SPDX-License-Identifier: Apache-2.0
#include "intake/address_set.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::intake {
namespace {
constexpr std::size_t kFirstSlots = 1'024;
}

AddressSet::Key AddressSet::random_key() {
  Key key;
  const std::string octets = random_octets(sizeof key);
  std::memcpy(&key, octets.data(), sizeof key);
  return key;
}

std::size_t AddressSet::place_of(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at] != 0 && slots_[at] != hash) at = (at + 1) & mask;
  return at;
}

void AddressSet::grow() {
  const auto before = std::exchange(slots_, {});
  slots_.resize(std::max(kFirstSlots, 2 * before.size()));
  for (const std::uint64_t hash : before) {
    if (hash != 0) slots_[place_of(hash)] = hash;
  }
}

std::uint64_t AddressSet::hash_of(std::string_view address) const {
  return std::max<std::uint64_t>(1, siphash64(key_.first, key_.second, to_ascii_lower(address)));
}

bool AddressSet::contains(std::string_view address) const {
  if (slots_.empty()) return false;
  const std::uint64_t hash = hash_of(address);
  return slots_[place_of(hash)] == hash;
}

bool AddressSet::insert(std::string_view address) {
  const std::uint64_t hash = hash_of(address);
  // Three quarters full at most: a search looks at a few neighbours.
  if (4 * (size_ + 1) > 3 * slots_.size() && !full()) grow();
  if (slots_.empty()) return true;
  const std::size_t at = place_of(hash);
  if (slots_[at] == hash) return false;
  if (full()) return true;
  slots_[at] = hash;
  ++size_;
  return true;
}

}  // namespace todoku::intake
