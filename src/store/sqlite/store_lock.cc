// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/store_lock.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"

namespace todoku::store::sqlite {
namespace {

std::string read_pid(int file) {
  char text[32];
  const ssize_t size = pread(file, text, sizeof text, 0);
  if (size <= 0) return "unknown";
  return std::string(trim({text, static_cast<std::size_t>(size)}));
}

}  // namespace

Result<StoreLock> StoreLock::acquire(const std::filesystem::path& database) {
  const std::string path = database.string() + ".lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return fail(ErrorKind::io,
                fmt::format("the lock file {} cannot be opened: {}", path, std::strerror(errno)));
  }
  StoreLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail(ErrorKind::io,
                  fmt::format("the lock file {} cannot be locked: {}", path, std::strerror(errno)));
    }
    return fail(ErrorKind::conflict,
                fmt::format("the store {} is in use by the process with pid {}; stop it, or use "
                            "the commands that speak to the running engine",
                            database.string(), read_pid(file)));
  }
  // Only for the message above: that it cannot be written does not weaken the lock.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file, 0) == 0) (void)!::pwrite(file, pid.data(), pid.size(), 0);
  return lock;
}

StoreLock::~StoreLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace todoku::store::sqlite
