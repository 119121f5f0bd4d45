// SPDX-License-Identifier: Apache-2.0
// A store as one file that can be kept elsewhere, and a store made of such a file.
//
// A backup is a database like the store itself, of one moment, with a table more: the files that
// lie beside the store and that it speaks of (uploaded lists, and what was wrong with them), in
// pieces. It is taken from outside while an engine works on the store: its writer waits for
// nothing, and the write-ahead log grows meanwhile by what it writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "store/sqlite/backup_files.h"

namespace todoku::store::sqlite {

// What is in a backup, and in the store that is made of it.
struct BackupFigures {
  std::int64_t version = 0;  // of the schema
  std::int64_t deliveries = 0;
  std::int64_t recipients = 0;
  std::int64_t suppressions = 0;
  std::int64_t files = 0;
  std::uint64_t octets = 0;  // of the backup
};

// Told now and then: pages copied and to be copied. False ends it.
using BackupTold = std::function<bool(std::int64_t done, std::int64_t pages)>;

struct BackupOrder {
  std::filesystem::path database;
  std::filesystem::path backup;
  IsKept is_kept;
  BackupTold told;  // empty: nobody listens
};

// Makes the file `backup`, for this user only, checked and synced, or none. Errors: not_found (no
// store), conflict (`backup` is there already), unavailable (too little room, the disk is busy),
// cancelled, corrupt, unsupported, io (also: a file that a job of the store names is not there).
[[nodiscard]] Result<BackupFigures> back_up(const BackupOrder& order);

// The pages of one moment as they are, without files: for what is to go on from them. `copy` is
// made for this user only, or is not there. That moment is held while it copies: the write-ahead
// log cannot begin anew meanwhile, and grows by what is written. Errors: those of back_up().
[[nodiscard]] Result<void> copy_pages_of(const std::filesystem::path& database,
                                         const std::filesystem::path& copy, const BackupTold& told);

// Makes a backup of such a copy: its files go into it, and it is checked.
[[nodiscard]] Result<BackupFigures> finish_backup(const HeldFiles& files,
                                                  const std::filesystem::path& copy);

// Reads and checks all of it. Errors: not_found, unsupported (of a newer version), corrupt, io.
[[nodiscard]] Result<BackupFigures> check_backup(const std::filesystem::path& backup);

struct Restored {
  BackupFigures figures;
  // The folder in which the store is that was there, with its files; empty: there was none.
  std::filesystem::path replaced;
};

// Puts a store made of a backup, and its files, in the place of `database`, whose folder is there.
// `replace`: also where there is one. What lies there is set aside as a whole (set_aside.h), after
// all that is new has been written beside it; what fails before leaves it as it was. After that
// there is no database until the last step, and `<database>.restoring` says so: another call goes
// on, and sets aside what the first has put there. Errors: those of check_backup() and set_aside();
// conflict (a store is there, or somebody has it open); unavailable (too little room).
[[nodiscard]] Result<Restored> restore(const BackupOrder& order, bool replace);

}  // namespace todoku::store::sqlite
