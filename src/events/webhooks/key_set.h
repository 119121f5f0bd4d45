// SPDX-License-Identifier: Apache-2.0
// A few hundred keys for the time of one decision: a table in one piece of memory, where a set of
// nodes would take one for each key.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace todoku::events::webhooks {

// Keys are mixed already (order_key_of()) and not 0.
class KeySet {
 public:
  // At most so many are inserted.
  explicit KeySet(std::size_t keys_max) : table_(std::bit_ceil(std::max(keys_max, kLeast) * 2)) {}

  [[nodiscard]] bool contains(std::uint64_t key) const { return table_[place(key)] == key; }
  // False: it was there.
  [[nodiscard]] bool insert(std::uint64_t key) {
    std::uint64_t& found = table_[place(key)];
    if (found == key) return false;
    found = key;
    return true;
  }

 private:
  static constexpr std::size_t kLeast = 8;

  // Where it is, or would be.
  [[nodiscard]] std::size_t place(std::uint64_t key) const {
    std::size_t at = key & (table_.size() - 1);
    while (table_[at] != 0 && table_[at] != key) at = (at + 1) & (table_.size() - 1);
    return at;
  }

  std::vector<std::uint64_t> table_;
};

}  // namespace todoku::events::webhooks
