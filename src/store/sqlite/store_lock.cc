// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/store_lock.h"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

namespace todoku::store::sqlite {
namespace {

std::string reason() {
  return std::generic_category().message(errno);
}

// Of the owner, as it wrote it; empty if that cannot be read.
std::string pid_in(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return {};
  char text[32];
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size <= 0 ? std::string() : std::string(trim({text, static_cast<std::size_t>(size)}));
}

std::unexpected<Error> in_use(const std::string& what, const std::string& lock_file) {
  const std::string pid = pid_in(lock_file);
  const std::string owner =
      pid.empty()
          ? fmt::format("another process (which one is not known: {} does not say)", lock_file)
          : fmt::format("the process with pid {}", pid);
  return fail(ErrorKind::conflict,
              fmt::format("{} is in use by {}; stop it, or use the commands that speak to the "
                          "running engine",
                          what, owner));
}

// The folder that really has the database: links to it would otherwise be folders to lock apart.
std::filesystem::path folder_of(const std::filesystem::path& database) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(database, error);
  const auto folder = (error ? database : real).parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

}  // namespace

Result<StoreLock> StoreLock::acquire(const std::filesystem::path& database,
                                     const std::string& what) {
  const std::string named = what.empty() ? "the store " + database.string() : what;
  const std::string path = database.string() + ".lock";
  const std::filesystem::path place = folder_of(database);
  StoreLock lock;
  lock.database_ = database.string();
  int& its_folder = lock.files_[of_folder];
  its_folder = ::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (its_folder < 0) {
    return fail(ErrorKind::io,
                fmt::format("the folder {} cannot be opened: {}", place.string(), reason()));
  }
  if (::flock(its_folder, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return in_use(named, path);
    return fail(ErrorKind::io, fmt::format("the folder {} cannot be locked: {}; keep the data on a "
                                           "disk of this machine",
                                           place.string(), reason()));
  }
  // Locked as well, for programs that know only of this file. It is written to, so it must be one
  // of this folder.
  int& its_file = lock.files_[of_lock];
  its_file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (its_file < 0) {
    return fail(ErrorKind::io,
                fmt::format("the lock file {} cannot be opened: {}", path, reason()));
  }
  if (::flock(its_file, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return in_use(named, path);
    return fail(ErrorKind::io,
                fmt::format("the lock file {} cannot be locked: {}", path, reason()));
  }
  // Only for the message above: that it cannot be written does not weaken the lock.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(its_file, 0) == 0) (void)!::pwrite(its_file, pid.data(), pid.size(), 0);
  return lock;
}

Result<void> StoreLock::take_file(bool may_begin) {
  int& file = files_[of_database];
  file = ::open(database_.c_str(), O_RDWR | O_CLOEXEC | (may_begin ? O_CREAT : 0), 0600);
  if (file < 0) {
    return fail(ErrorKind::io,
                fmt::format("the database {} cannot be opened: {}", database_, reason()));
  }
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) {
    return fail(ErrorKind::io, fmt::format("the database {} cannot be locked: {}; keep the data on "
                                           "a disk of this machine",
                                           database_, reason()));
  }
  // The lock file beside it is our own: the other one is in another folder.
  return fail(ErrorKind::conflict,
              fmt::format("the store {} is in use by another process, which reached the same file "
                          "by another name (a hard link); stop that, or give this one a database "
                          "of its own",
                          database_));
}

std::optional<StoreLock::Identity> StoreLock::at(const std::string& path, Identity otherwise) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) == 0) return Identity{facts.st_dev, facts.st_ino};
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return otherwise;
}

void StoreLock::take_log() {
  log_ = at(database_ + "-wal", log_).value_or(Identity{});
}

Result<void> StoreLock::in_place() const {
  struct stat facts{};
  if (::fstat(files_[of_database], &facts) != 0) return {};
  const Identity ours{facts.st_dev, facts.st_ino};
  const auto found = at(database_, ours);
  if (found != ours && facts.st_nlink > 0) {
    return fail(
        ErrorKind::unavailable,
        fmt::format("the database {} was moved away{} under the running engine, and nothing "
                    "is accepted any more: put back the file with inode number {}",
                    database_, found ? " and replaced" : "", ours.number));
  }
  if (found != ours) {
    return fail(
        ErrorKind::unavailable,
        fmt::format(
            "the database {0} was {1} under the running engine, and nothing is accepted any "
            "more: what it holds is to be had from this process only, so save it with `cp "
            "/proc/{2}/fd/{3} {0}.saved` before the engine ends; then stop the engine and "
            "move the copy to {0}",
            database_, found ? "replaced" : "removed", ::getpid(), files_[of_database]));
  }
  if (log_ != Identity{} && at(database_ + "-wal", log_) != log_) {
    return fail(
        ErrorKind::unavailable,
        fmt::format("the log of the database, {}-wal, was removed or replaced under the "
                    "running engine, and nothing is accepted any more: stop the engine with "
                    "`todoku drain`, which takes what it holds into the database, then "
                    "start it again",
                    database_));
  }
  return {};
}

Result<std::optional<std::filesystem::path>> StoreLock::rescue() const {
  struct stat facts{};
  if (::fstat(files_[of_database], &facts) != 0 || facts.st_nlink > 0) return std::nullopt;
  const std::string path = fmt::format("{}.saved-{}", database_, ::getpid());
  std::error_code ignored;  // the folder may have gone with all that was in it
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const int copy = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool copied = copy >= 0;
  for (off_t done = 0; copied && done < facts.st_size;) {
    constexpr std::size_t kPart = 16U << 20U;
    copied = ::sendfile(copy, files_[of_database], &done, kPart) > 0;
  }
  copied = copied && ::fsync(copy) == 0;
  const std::string why = copied ? std::string() : reason();
  if (copy >= 0) ::close(copy);
  if (!copied) return fail(ErrorKind::io, fmt::format("{} cannot be written: {}", path, why));
  return path;
}

StoreLock::~StoreLock() {
  for (const int file : files_) {
    if (file >= 0) ::close(file);
  }
}

}  // namespace todoku::store::sqlite
