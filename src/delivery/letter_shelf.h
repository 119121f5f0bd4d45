// SPDX-License-Identifier: Apache-2.0
// Letters that are at hand, limited by bytes. Small ones stay after their use, least recently used
// leaving first. One larger than a quarter of the shelf would push out all others, so it is only
// known: found as long as somebody uses it, so that its batches share one copy, and gone
// afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "delivery/letter.h"
#include "store/keys.h"

namespace todoku::delivery {

// Thread-safe.
class LetterShelf {
 public:
  explicit LetterShelf(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Null: not at hand.
  [[nodiscard]] std::shared_ptr<const Letter> find(store::DeliveryKey delivery);
  // Returns the letter to use: the one that was put here before, if two made it at once. `cleared`:
  // as it was before anything was read for it; if that was cleared since, it is used and not kept.
  [[nodiscard]] std::shared_ptr<const Letter> keep(std::shared_ptr<const Letter> letter,
                                                   std::uint64_t cleared);
  // Nothing is at hand any more: what letters are made of has changed. Those in use are used.
  void clear();
  // How often that was.
  [[nodiscard]] std::uint64_t cleared() const;

  // What stays after its use.
  [[nodiscard]] std::size_t bytes() const;

 private:
  using Kept = std::list<std::shared_ptr<const Letter>>;

  [[nodiscard]] std::shared_ptr<const Letter> find_locked(store::DeliveryKey delivery);
  void know(const std::shared_ptr<const Letter>& letter);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  Kept kept_;  // most recently used first
  std::unordered_map<store::DeliveryKey, Kept::iterator> by_delivery_;
  std::unordered_map<store::DeliveryKey, std::weak_ptr<const Letter>> known_;
  std::size_t bytes_ = 0;
  std::uint64_t cleared_ = 0;
};

}  // namespace todoku::delivery
