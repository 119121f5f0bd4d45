// SPDX-License-Identifier: Apache-2.0
// What every back end refuses of drafts.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/deliveries.h"

namespace todoku::store {

// One that may still be changed; conflict names the status that it has instead.
[[nodiscard]] Result<Delivery> checked_draft(Result<Delivery> delivery);
// One that nothing of has gone out or was told of: a draft, or a bulk that is to start; conflict
// likewise.
[[nodiscard]] Result<Delivery> checked_not_begun(Result<Delivery> delivery);
// Whether there may be one more; limit_exceeded.
[[nodiscard]] Result<void> check_one_more_draft(const Result<std::int64_t>& drafts,
                                                std::int64_t drafts_max);

}  // namespace todoku::store
