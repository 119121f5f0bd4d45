// SPDX-License-Identifier: Apache-2.0
// The files that lie beside a store, on their way into a backup of it. They are written once and
// removed when nobody needs them, by an engine that is at work meanwhile.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

// What errno says of a path: unavailable (no room), else io.
[[nodiscard]] std::unexpected<Error> path_error(std::string_view what,
                                                const std::filesystem::path& path);
[[nodiscard]] std::filesystem::path folder_beside(const std::filesystem::path& file);

// False also where it cannot be known.
[[nodiscard]] bool on_one_disk(const std::filesystem::path& one,
                               const std::filesystem::path& other);

// A file or a folder. Errors: those of path_error().
[[nodiscard]] Result<void> sync_path(const std::filesystem::path& path);

// Whether a file beside the database belongs to it; empty: none does.
using IsKept = std::function<bool(const std::string& name)>;

// By name. Errors: io (the folder cannot be read to its end).
[[nodiscard]] Result<std::vector<std::filesystem::path>> files_beside(
    const std::filesystem::path& database, const IsKept& is_kept);

// A folder for this user only that goes with its owner, and with what is in it.
class PassingFolder {
 public:
  explicit PassingFolder(std::filesystem::path path) : path_(std::move(path)) {}
  ~PassingFolder();
  PassingFolder(const PassingFolder&) = delete;
  PassingFolder& operator=(const PassingFolder&) = delete;

  // Empty, whatever one that was broken off has left there.
  [[nodiscard]] Result<void> make() const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

// Holds files that may be removed at any time: by a second name, or as a copy where the file system
// gives none.
class HeldFiles {
 public:
  // `folder` is there and outlives it.
  HeldFiles(std::filesystem::path database, IsKept is_kept, std::filesystem::path folder)
      : database_(std::move(database)), is_kept_(std::move(is_kept)), folder_(std::move(folder)) {}

  // Holds what is there and was not at the last time. Errors: those of files_beside(), unavailable.
  [[nodiscard]] Result<void> look();
  // The first file that the store names, as `db` sees it, and that is not held; empty: none.
  [[nodiscard]] Result<std::string> missing(Connection& db) const;
  // Into a table of a backup, in pieces.
  [[nodiscard]] Result<void> put_into(Connection& backup) const;

 private:
  [[nodiscard]] Result<bool> hold(const std::filesystem::path& file) const;
  [[nodiscard]] bool holds(const std::string& name) const;

  const std::filesystem::path database_;
  const IsKept is_kept_;
  const std::filesystem::path folder_;
  std::set<std::string> names_;
};

// Writes the files of a backup to a folder, synced. Names that the owner of the folder would not
// keep are somebody else's invention: corrupt. Errors also: unavailable (no room), io.
[[nodiscard]] Result<void> write_files(Connection& backup, const IsKept& is_kept,
                                       const std::filesystem::path& folder);

}  // namespace todoku::store::sqlite
