// SPDX-License-Identifier: Apache-2.0
// Reading everything that the store knows, recipient by recipient, to compare it with the truth.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/world.h"
#include "store/store.h"

namespace todoku::sim {

using Accounts = std::vector<store::Account>;

// Deliveries that still have something to do.
[[nodiscard]] Result<std::int64_t> count_unfinished(store::ReadTransaction& transaction,
                                                    const Accounts& accounts);
// Addresses whose state is terminal.
[[nodiscard]] Result<std::vector<std::string>> settled_addresses(
    store::ReadTransaction& transaction, const Accounts& accounts);
// All deliveries, by mailing.
[[nodiscard]] Result<std::map<std::size_t, StoredDelivery>> read_deliveries(
    store::ReadTransaction& transaction, const Accounts& accounts);

}  // namespace todoku::sim
