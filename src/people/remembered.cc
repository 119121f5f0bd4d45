// SPDX-License-Identifier: Apache-2.0
#include "people/remembered.h"

namespace todoku::people {

Remembered::Found Remembered::find(const std::string& token_sha256, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(token_sha256);
  if (known == known_.end() || now >= known->second.until)
    return {.who = {}, .forgotten = forgotten_};
  return {.who = known->second.who, .forgotten = forgotten_};
}

void Remembered::put(std::string token_sha256, Who who, std::uint64_t forgotten,
                     SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  if (forgotten != forgotten_) return;
  if (known_.size() >= kMost) known_.clear();
  known_[std::move(token_sha256)] = {std::move(who), now + kFor};
}

void Remembered::forget() {
  const std::lock_guard lock(mutex_);
  known_.clear();
  ++forgotten_;
}

}  // namespace todoku::people
