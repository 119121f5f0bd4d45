// SPDX-License-Identifier: Apache-2.0
// Telling an endpoint again: what its owner may ask for, and what becomes of it in the row that
// says how far the endpoint has been told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace todoku::events::endpoints {

// Events that are named, or were set aside, that are told again by one order.
inline constexpr std::int64_t kReplayedMax = 100;

// One of these.
struct ReplayOrder {
  std::optional<Instant> from;              // all since then
  std::optional<store::PublicId> delivery;  // all about that one
  std::vector<std::string> events;          // these
  bool set_aside = false;                   // what it would not take
};

// How many events that is, where it is known. Errors: of the store; not_found (endpoint, delivery);
// conflict (too much is being told again).
[[nodiscard]] Result<std::optional<std::size_t>> tell_again(store::WriteTransaction& transaction,
                                                            store::AccountKey account,
                                                            std::string_view name,
                                                            const ReplayOrder& order);

}  // namespace todoku::events::endpoints
