// SPDX-License-Identifier: Apache-2.0
// The tables of the store, their version, and the way from an older version to this one.
#pragma once

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

// "tdku": tells our files from other SQLite databases.
inline constexpr std::int64_t kApplicationId = 0x74646B75;

// The version this program reads and writes.
[[nodiscard]] std::int64_t schema_version();

// The version of a file that this program can open, 0 if it is empty. Errors: unsupported for a
// file of a newer version, corrupt for a damaged one or one that is not ours; the sentence says
// what to do.
[[nodiscard]] Result<std::int64_t> version_of(Connection& db);

// Creates the tables in an empty file, or migrates an older version, each step in a transaction of
// its own. Errors: as version_of().
[[nodiscard]] Result<void> prepare_schema(Connection& db);

}  // namespace todoku::store::sqlite
