// SPDX-License-Identifier: Apache-2.0
// Which addresses a list has had: eight octets each, however long they are. Pure.
//
// An address stands there as a keyed hash (SipHash-2-4 under a key that nobody knows), so that no
// list can be made whose different addresses are taken for one. By chance two of n are with a
// probability of n²/2⁶⁵: 1 in 37 million for a list of a million.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace todoku::intake {

class AddressSet {
 public:
  struct Key {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
  };
  // Of all that are put in, the first `addresses_max` are remembered.
  AddressSet(Key key, std::size_t addresses_max) : key_(key), addresses_max_(addresses_max) {}

  // A key for once.
  [[nodiscard]] static Key random_key();

  // False if it is there already, in any case of ASCII letters.
  bool insert(std::string_view address);

  // In any case of ASCII letters.
  [[nodiscard]] bool contains(std::string_view address) const;

  [[nodiscard]] std::size_t size() const { return size_; }
  // Others are no longer remembered.
  [[nodiscard]] bool full() const { return size_ >= addresses_max_; }

 private:
  void grow();
  [[nodiscard]] std::uint64_t hash_of(std::string_view address) const;
  // Where `hash` is, or may be put.
  [[nodiscard]] std::size_t place_of(std::uint64_t hash) const;

  const Key key_;
  const std::size_t addresses_max_;
  std::vector<std::uint64_t> slots_;  // a power of two; 0: free
  std::size_t size_ = 0;
};

}  // namespace todoku::intake
