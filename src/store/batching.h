// SPDX-License-Identifier: Apache-2.0
// How recipients are sorted into batches, whatever they are stored in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "store/numbers.h"
#include "store/recipients.h"

namespace todoku::store {

// A domain with this many recipients in one call gets batches of its own.
inline constexpr std::size_t kOwnBatchMin = 50;
// The room of the first batch that is filled by single recipients; later ones are larger.
inline constexpr std::int64_t kOpenBatchMin = 64;

// Recipients by their place in what was given.
using Places = std::vector<std::uint32_t>;

// Groups that share batches: one per large domain, the rest last.
[[nodiscard]] std::vector<Places> grouped_by_domain(std::span<const NewRecipient> recipients);

// As few batches as possible, all of about the same size.
[[nodiscard]] std::vector<std::span<const std::uint32_t>> cut_into_batches(
    std::span<const std::uint32_t> group);

// The domain of all of them, if it is one; else empty: such a batch is shared.
[[nodiscard]] std::string_view common_domain(std::span<const NewRecipient> recipients);

}  // namespace todoku::store
