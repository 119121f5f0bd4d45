// SPDX-License-Identifier: Apache-2.0
// One engine or tool at a time on a database: the folder that holds the database file is locked
// itself. A lock file can be removed and made anew while its owner runs, and a second engine would
// then send everything twice; a folder with a database in it cannot be replaced by accident. The
// lock is the operating system's, so it goes with its process, however that ends.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace todoku::store::sqlite {

class StoreLock {
 public:
  // Locks the folder of `database` (where a symbolic link leads to), and `<database>.lock`, in
  // which others find the pid of the owner. Errors: conflict if another process holds either,
  // naming its pid if that is known; io where a folder cannot be locked.
  [[nodiscard]] static Result<StoreLock> acquire(const std::filesystem::path& database);
  ~StoreLock();
  StoreLock(StoreLock&& other) noexcept
      : folder_(std::exchange(other.folder_, -1)), file_(std::exchange(other.file_, -1)) {}
  StoreLock& operator=(StoreLock&& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(file_, other.file_);
    return *this;
  }
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  StoreLock() = default;
  int folder_ = -1;
  int file_ = -1;
};

}  // namespace todoku::store::sqlite
