// SPDX-License-Identifier: Apache-2.0
// Making room for another store in the place of one, of which nothing is lost.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "store/sqlite/backup_files.h"

namespace todoku::store::sqlite {

// Moves what lies at the place of a database, and the files that belong to it, into a folder beside
// it, `<database>.replaced-1` or the next number; where that is now, or empty: nothing was there.
// What the log holds goes into the database before; a store that is damaged keeps its log.
//
// The caller has the store's lock. The database goes first, in one rename, into a folder that is
// called `<database>.replacing` until it has everything, so that a store is never without its log
// and no engine begins on half of it; after a kill the next call goes on there. Errors: conflict
// (what is to be moved is in the folder already), unavailable, io.
[[nodiscard]] Result<std::filesystem::path> set_aside(const std::filesystem::path& database,
                                                      const IsKept& is_kept);

}  // namespace todoku::store::sqlite
