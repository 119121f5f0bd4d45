// SPDX-License-Identifier: Apache-2.0
// When a key or a credential was used last is kept by the hour: often enough for who asks whether
// one may be ended, and seldom enough that a busy one is written once an hour.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace todoku::store {

[[nodiscard]] constexpr Instant hour_of_use(Instant at) {
  return std::chrono::floor<std::chrono::hours>(at);
}

// Whether a use at `at` is to be written, where `used` is what is known of the last.
[[nodiscard]] constexpr bool is_new_use(const std::optional<Instant>& used, Instant at) {
  return !used || *used < hour_of_use(at);
}

}  // namespace todoku::store
