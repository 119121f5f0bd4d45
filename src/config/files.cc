// SPDX-License-Identifier: Apache-2.0
#include "config/files.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace todoku::config {
namespace {

// Closes at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> system_failure(ErrorKind kind, std::string_view action,
                                      const std::string& path, int error) {
  return fail(
      kind, fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error)));
}

Result<void> write_all(int fd, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure(ErrorKind::io, "write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_and_sync(int fd, const std::string& path, std::string_view content) {
  if (auto written = write_all(fd, path, content); !written) return written;
  if (::fsync(fd) != 0) return system_failure(ErrorKind::io, "write", path, errno);
  return {};
}

// A new name is on disk once its folder is.
Result<void> sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::fsync(fd.get()) != 0) {
    return system_failure(ErrorKind::io, "sync", folder, errno);
  }
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) {
    return system_failure(errno == ENOENT ? ErrorKind::not_found : ErrorKind::io, "read", path,
                          errno);
  }
  std::string content;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure(ErrorKind::io, "read", path, errno);
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
  }
}

Result<void> create_private_file(const std::string& path, std::string_view content) {
  {
    const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.is_open()) {
      return system_failure(errno == EEXIST ? ErrorKind::conflict : ErrorKind::io, "make", path,
                            errno);
    }
    if (auto written = write_and_sync(fd.get(), path, content); !written) {
      ::unlink(path.c_str());
      return written;
    }
  }
  return sync_folder_of(path);
}

Result<void> replace_private_file(const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  {
    const Descriptor fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.is_open()) return system_failure(ErrorKind::io, "make", fresh, errno);
    if (auto written = write_all(fd.get(), fresh, content); !written) {
      ::unlink(fresh.c_str());
      return written;
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return system_failure(ErrorKind::io, "replace", path, errno);
  }
  return {};
}

Result<void> replace_public_file(const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  {
    const Descriptor fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd.is_open()) return system_failure(ErrorKind::io, "make", fresh, errno);
    // Whatever the process's umask takes away.
    if (::fchmod(fd.get(), 0644) != 0) return system_failure(ErrorKind::io, "open", fresh, errno);
    if (auto written = write_and_sync(fd.get(), fresh, content); !written) {
      ::unlink(fresh.c_str());
      return written;
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return system_failure(ErrorKind::io, "replace", path, errno);
  }
  return sync_folder_of(path);
}

Result<void> ensure_private_directory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const mode_t before = ::umask(0077);
  std::filesystem::create_directories(path, error);
  ::umask(before);
  if (error) {
    return fail(ErrorKind::io, fmt::format("cannot make the folder {}: {}", path, error.message()));
  }
  return {};
}

}  // namespace todoku::config
