// SPDX-License-Identifier: Apache-2.0
// What the hot operations do with suppression lists (store/suppressions.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "store/postgres/link.h"
#include "store/postgres/settling_set.h"
#include "store/postgres/store_time.h"
#include "store/postgres/wire.h"

namespace todoku::store::postgres {

// Whoever is due in one of these batches and is stopped becomes dropped, with all that an outcome
// brings (settling_set.h): the counts of batch and delivery, events, the log. Batches are given by
// number, with their delivery; the caller holds them. Answers batch and seq of each. Whose life is
// over is left to end so.
// `flight`: only of batches that this one has leased, and not of transactions that nobody has had
// before, who were asked when they were accepted; nullopt: of all.
void add_drop_stopped(Link& link, Told told, const std::map<std::int64_t, DeliveryKey>& batches,
                      std::optional<std::int64_t> flight);

// Counts hard errors of addresses, and stops those that `rule` says.
void add_hard_errors(Link& link, Instant now, std::span<const HardError> errors,
                     const ErrorStop& rule);

}  // namespace todoku::store::postgres
