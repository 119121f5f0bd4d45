// SPDX-License-Identifier: Apache-2.0
// Which source of a pool sends a batch.
//
// Intuition (rendezvous hashing, Thaler and Ravishankar 1996): every source draws a number for the
// batch, and the highest wins. A batch keeps its source from try to try, which greylisting
// remembers; when a source goes, only its own batches move, to all others evenly; when it comes
// back they return.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace todoku::delivery::policy {

// The place of the source in `live` that sends batch `batch` of `delivery`; nullopt if there is
// none. Names decide, not places: any order and any node answers the same.
[[nodiscard]] std::optional<std::size_t> choose_source(std::span<const std::string> live,
                                                       std::int64_t delivery, std::uint32_t batch);

// Names a lane (site and source) in ledgers that go by one name.
[[nodiscard]] std::string lane_name(std::string_view site, std::string_view source);

}  // namespace todoku::delivery::policy
