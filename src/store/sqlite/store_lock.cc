// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/store_lock.h"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"

namespace todoku::store::sqlite {
namespace {

std::string reason() {
  return std::generic_category().message(errno);
}

// Of the owner, as it wrote it; empty if that cannot be read.
std::string pid_in(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[32];
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size <= 0 ? std::string() : std::string(trim({text, static_cast<std::size_t>(size)}));
}

std::unexpected<Error> in_use(const std::filesystem::path& database, const std::string& lock_file) {
  const std::string pid = pid_in(lock_file);
  const std::string owner =
      pid.empty()
          ? fmt::format("another process (which one is not known: {} does not say)", lock_file)
          : fmt::format("the process with pid {}", pid);
  return fail(ErrorKind::conflict,
              fmt::format("the store {} is in use by {}; stop it, or use the commands that speak "
                          "to the running engine",
                          database.string(), owner));
}

// The folder that really has the database: links to it would otherwise be folders to lock apart.
std::filesystem::path folder_of(const std::filesystem::path& database) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(database, error);
  const auto folder = (error ? database : real).parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

}  // namespace

Result<StoreLock> StoreLock::acquire(const std::filesystem::path& database) {
  const std::string path = database.string() + ".lock";
  const std::filesystem::path folder = folder_of(database);
  StoreLock lock;
  lock.folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock.folder_ < 0) {
    return fail(ErrorKind::io,
                fmt::format("the folder {} cannot be opened: {}", folder.string(), reason()));
  }
  if (::flock(lock.folder_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return in_use(database, path);
    return fail(ErrorKind::io, fmt::format("the folder {} cannot be locked: {}; keep the data on a "
                                           "disk of this machine",
                                           folder.string(), reason()));
  }
  // Locked as well, for programs that know only of this file.
  lock.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.file_ < 0) {
    return fail(ErrorKind::io,
                fmt::format("the lock file {} cannot be opened: {}", path, reason()));
  }
  if (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return in_use(database, path);
    return fail(ErrorKind::io,
                fmt::format("the lock file {} cannot be locked: {}", path, reason()));
  }
  // Only for the message above: that it cannot be written does not weaken the lock.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock.file_, 0) == 0) (void)!::pwrite(lock.file_, pid.data(), pid.size(), 0);
  return lock;
}

StoreLock::~StoreLock() {
  if (file_ >= 0) ::close(file_);
  if (folder_ >= 0) ::close(folder_);
}

}  // namespace todoku::store::sqlite
