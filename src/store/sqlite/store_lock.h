// SPDX-License-Identifier: Apache-2.0
// One engine or tool at a time on a database, and whether what it works on is still what its path
// names.
//
// The folder that holds the database is locked, and the database file itself. A lock file can be
// removed and made anew while its owner runs, and a second engine would then send everything twice;
// a folder with a database in it cannot be replaced by accident; and a hard link leads to the same
// file from another folder. The locks are the operating system's, so they go with their process,
// however that ends.
//
// They are flock(2)s. SQLite's own are byte ranges of fcntl(2), which belong to the process and are
// gone as soon as it closes any descriptor of the file; Linux keeps the two kinds apart on a disk
// of the machine, so programs that read the database do not notice ours.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/result.h"

namespace todoku::store::sqlite {

class StoreLock {
 public:
  // Locks the folder of `database` (where a symbolic link leads to), and `<database>.lock`, in
  // which others find the pid of the owner. Errors: conflict if another process holds either,
  // naming its pid if that is known, and what is locked as `what` (empty: the store); io where a
  // folder cannot be locked.
  [[nodiscard]] static Result<StoreLock> acquire(const std::filesystem::path& database,
                                                 const std::string& what = {});
  // Locks the database file too, making it if `may_begin`. Before SQLite opens it, and to be given
  // up (by the destructor) after SQLite has closed it. Errors: conflict, io.
  [[nodiscard]] Result<void> take_file(bool may_begin);
  // SQLite has made its write-ahead log: in_place() looks at that as well.
  void take_log();
  // The paths still lead to the files that are open: two system calls. Else whatever is written is
  // lost to the next start. Errors: unavailable, with what to do about it.
  [[nodiscard]] Result<void> in_place() const;
  // Nobody can reach the database any more but through our descriptor: copies it to a new file
  // beside its old place, and returns that. To be called when nothing is left in the log. nullopt:
  // there is no need. Errors: io.
  [[nodiscard]] Result<std::optional<std::filesystem::path>> rescue() const;
  ~StoreLock();
  StoreLock(StoreLock&& other) noexcept
      : database_(std::move(other.database_)), log_(other.log_), files_(other.files_) {
    other.files_.fill(-1);
  }
  StoreLock& operator=(StoreLock&& other) noexcept {
    std::swap(database_, other.database_);
    std::swap(log_, other.log_);
    std::swap(files_, other.files_);
    return *this;
  }
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  // Which file it is, whatever it is called.
  struct Identity {
    dev_t device = 0;
    ino_t number = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  enum Which : std::size_t { of_lock, of_folder, of_database };

  StoreLock() { files_.fill(-1); }
  // nullopt: nothing is there. What cannot be looked at counts as in place.
  [[nodiscard]] static std::optional<Identity> at(const std::string& path, Identity otherwise);

  std::string database_;
  Identity log_;
  std::array<int, 3> files_{};
};

}  // namespace todoku::store::sqlite
