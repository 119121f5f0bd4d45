// SPDX-License-Identifier: Apache-2.0
#include "delivery/letter_shelf.h"

#include <utility>

namespace todoku::delivery {

std::shared_ptr<const Letter> LetterShelf::find(store::DeliveryKey delivery) {
  const std::lock_guard lock(mutex_);
  return find_locked(delivery);
}

std::shared_ptr<const Letter> LetterShelf::find_locked(store::DeliveryKey delivery) {
  if (const auto kept = by_delivery_.find(delivery); kept != by_delivery_.end()) {
    kept_.splice(kept_.begin(), kept_, kept->second);
    return *kept->second;
  }
  const auto known = known_.find(delivery);
  return known == known_.end() ? nullptr : known->second.lock();
}

std::shared_ptr<const Letter> LetterShelf::keep(std::shared_ptr<const Letter> letter,
                                                std::uint64_t cleared) {
  const std::lock_guard lock(mutex_);
  if (cleared != cleared_) return letter;
  if (auto before = find_locked(letter->delivery)) return before;
  if (letter->bytes > bytes_max_ / 4) {
    know(letter);
    return letter;
  }
  kept_.push_front(letter);
  by_delivery_[letter->delivery] = kept_.begin();
  for (bytes_ += letter->bytes; bytes_ > bytes_max_; kept_.pop_back()) {
    bytes_ -= kept_.back()->bytes;
    by_delivery_.erase(kept_.back()->delivery);
  }
  return letter;
}

// Known are at most the letters that were in use when the latest of them came, and that one.
void LetterShelf::know(const std::shared_ptr<const Letter>& letter) {
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  known_[letter->delivery] = letter;
}

void LetterShelf::clear() {
  Kept kept;  // goes when nobody waits for it
  const std::lock_guard lock(mutex_);
  kept.swap(kept_);
  by_delivery_.clear();
  known_.clear();
  bytes_ = 0;
  ++cleared_;
}

std::uint64_t LetterShelf::cleared() const {
  const std::lock_guard lock(mutex_);
  return cleared_;
}

std::size_t LetterShelf::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace todoku::delivery
