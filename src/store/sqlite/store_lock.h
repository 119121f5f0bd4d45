// SPDX-License-Identifier: Apache-2.0
// The lock beside a database file: one engine or tool at a time. It is the operating system's, so
// it goes with its process, however that ends.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace todoku::store::sqlite {

class StoreLock {
 public:
  // Takes the lock `<database>.lock`. conflict if another process holds it, naming its pid.
  [[nodiscard]] static Result<StoreLock> acquire(const std::filesystem::path& database);
  ~StoreLock();
  StoreLock(StoreLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  StoreLock& operator=(StoreLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  explicit StoreLock(int file) : file_(file) {}
  int file_;
};

}  // namespace todoku::store::sqlite
