// SPDX-License-Identifier: Apache-2.0
// The store's time is the database's, so that no node's clock counts. Tests that move time give a
// clock of their own; then every statement is told what it says.
#pragma once

#include <optional>

#include "base/clock.h"

// In a statement: when its transaction began. Its first parameter is a Told.
#define STORE_NOW "coalesce($1, (extract(epoch FROM now()) * 1000)::bigint)"

namespace todoku::store::postgres {

// nullopt: the database's own.
using Told = std::optional<Instant>;

}  // namespace todoku::store::postgres
