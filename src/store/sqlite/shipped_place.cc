// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/shipped_place.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/sqlite/backup_files.h"
#include "store/sqlite/shipped_names.h"

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;

Result<void> write_whole(const fs::path& path, std::string_view octets) {
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return path_error("cannot make", path);
  bool written = true;
  while (written && !octets.empty()) {
    const ssize_t now = ::write(file, octets.data(), octets.size());
    if (now < 0 && errno == EINTR) continue;
    written = now > 0;
    if (written) octets.remove_prefix(static_cast<std::size_t>(now));
  }
  const bool synced = written && ::fsync(file) == 0;
  const int reason = errno;
  ::close(file);
  errno = reason;
  return synced ? Result<void>() : path_error("cannot write", path);
}

Instant written_at(const struct stat& facts) {
  return from_epoch_ms(std::int64_t{facts.st_mtim.tv_sec} * 1'000 +
                       facts.st_mtim.tv_nsec / 1'000'000);
}

std::unexpected<Error> cannot_list(const fs::path& folder, const std::error_code& error) {
  return fail(ErrorKind::io,
              fmt::format("the folder {} cannot be read: {}", folder.string(), error.message()));
}

}  // namespace

Result<void> FolderPlace::make_folder(const fs::path& path) const {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_path(folder_beside(path));
  return errno == EEXIST ? Result<void>() : path_error("cannot make the folder", path);
}

Result<void> FolderPlace::begin(const fs::path& store) {
  if (auto made = make_folder(folder_); !made) return made;
  if (on_one_disk(folder_beside(store), folder_)) {
    log::warning("the store is shipped to the disk that it is on, and lost with it",
                 {{"place", describe()}});
  }
  return {};
}

// What others have there is not looked into: it may be closed to us.
Result<std::vector<ShippedPlace::Entry>> FolderPlace::list() {
  std::vector<Entry> entries;
  std::error_code error;
  fs::directory_iterator entry(folder_, error);
  if (error == std::errc::no_such_file_or_directory) return entries;
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    struct stat facts{};
    if (!is_shipped_folder(name)) continue;
    if (::lstat(entry->path().c_str(), &facts) != 0)
      return path_error("cannot read", entry->path());
    if (!S_ISDIR(facts.st_mode)) continue;
    if (auto listed = list_folder(name, entries); !listed) return fail(std::move(listed.error()));
  }
  if (error) return cannot_list(folder_, error);
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

Result<void> FolderPlace::list_folder(const std::string& name, std::vector<Entry>& into) const {
  const fs::path folder = folder_ / name;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    struct stat facts{};
    if (::lstat(entry->path().c_str(), &facts) != 0) {
      if (errno == ENOENT) continue;  // removed meanwhile
      return path_error("cannot read", entry->path());
    }
    if (!S_ISREG(facts.st_mode)) continue;
    into.push_back({name + "/" + entry->path().filename().string(), written_at(facts)});
  }
  return error ? cannot_list(folder, error) : Result<void>();
}

Result<void> FolderPlace::put(const std::string& name, std::string_view octets) {
  fs::path path = folder_;
  for (const fs::path& part : fs::path(name).parent_path()) {
    path /= part;
    if (auto made = make_folder(path); !made) return made;
  }
  path = folder_ / name;
  const fs::path unfinished = path.string() + std::string(kUnfinished);
  if (auto written = write_whole(unfinished, octets); !written) {
    ::unlink(unfinished.c_str());
    return written;
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return path_error("cannot name", path);
  return sync_path(folder_beside(path));
}

// Who may write in the folder may put something else there: no link is followed, no pipe waited at.
Result<std::string> FolderPlace::get(const std::string& name, std::size_t most) {
  const fs::path path = folder_ / name;
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) {
    return fail(ErrorKind::not_found, fmt::format("there is no {}", path.string()));
  }
  if (file < 0) return path_error("cannot open", path);
  struct stat facts{};
  const bool sound = ::fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) &&
                     static_cast<std::uint64_t>(facts.st_size) <= most;
  std::string octets(sound ? static_cast<std::size_t>(facts.st_size) : 0, '\0');
  std::size_t taken = 0;
  bool failed = false;
  while (taken < octets.size() && !failed) {
    const ssize_t now = ::read(file, octets.data() + taken, octets.size() - taken);
    if (now < 0 && errno == EINTR) continue;
    failed = now < 0;
    if (now == 0) break;  // it was cut off meanwhile
    if (now > 0) taken += static_cast<std::size_t>(now);
  }
  const int reason = errno;
  ::close(file);
  errno = reason;
  if (failed) return path_error("cannot read", path);
  octets.resize(taken);
  if (sound) return octets;
  return fail(ErrorKind::corrupt, fmt::format("{} was not shipped by todoku", path.string()));
}

Result<void> FolderPlace::remove(const std::string& name) {
  const fs::path path = folder_ / name;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return path_error("cannot remove", path);
  // The last one of a chain: its folder goes, too.
  const fs::path folder = path.parent_path();
  if (folder != folder_) (void)::rmdir(folder.c_str());
  return {};
}

}  // namespace todoku::store::sqlite
