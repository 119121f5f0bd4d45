// SPDX-License-Identifier: Apache-2.0
#include "app/data_folder.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "config/files.h"

namespace todoku::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNodeFile = "node.id";
constexpr mode_t kOthers = 07;
constexpr mode_t kNotOwner = 077;

// What todoku itself leaves in its folder, and what a fresh file system brings.
bool is_ours(const std::string& name) {
  return name.starts_with("todoku.db") || name == "admin.sock" || name == "lost+found" ||
         name.starts_with("import-") || name == kNodeFile || name.starts_with(kAgeFile) ||
         name.starts_with('.');
}

// To close a folder is not to take it from others: /var/lib, say, by a slip in the configuration.
bool is_shared(const std::string& path, const struct stat& facts) {
  return (facts.st_mode & S_ISVTX) != 0 || contents_of(path).shared();
}

// Of a folder that is not closed and cannot be.
Result<void> check_rights(const std::string& path, const struct stat& facts, bool shared) {
  // A group that may come in, as some platforms arrange it, finds files that it cannot read.
  if ((facts.st_mode & kOthers) == 0) return {};
  return fail(
      ErrorKind::unauthorized,
      fmt::format("others can read the data folder {} ({}): give todoku a folder of its "
                  "own (data.directory), or run `chmod 700 {}`",
                  path, shared ? "and it holds what is not todoku's" : "and it is not ours", path));
}

Result<void> close_to_others(const std::string& path, const struct stat& facts) {
  const bool shared = is_shared(path, facts);
  if (shared || ::chmod(path.c_str(), 0700) != 0) return check_rights(path, facts, shared);
  log::info("data folder closed to others", {{"folder", path}});
  return {};
}

}  // namespace

FolderContents contents_of(const std::string& folder) {
  FolderContents contents;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path name = entry->path().filename();
    std::error_code unknown;
    if (name == "todoku.db") contents.database = true;
    if (name.extension() == ".upload") ++contents.uploads;
    if (name.string().starts_with("todoku.db.saved")) contents.saved = entry->path().string();
    for (const std::string_view left : {"todoku.db.restoring", "todoku.db.replacing"}) {
      if (name == left) contents.restoring = entry->path().string();
    }
    if (is_ours(name.string())) continue;
    (entry->is_directory(unknown) ? contents.foreign_folder : contents.foreign_file) = true;
  }
  return contents;
}

Result<void> prepare_data_folder(const std::string& path) {
  if (auto made = config::ensure_private_directory(path); !made) return made;
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    return fail(ErrorKind::io, fmt::format("the data folder {} cannot be looked at: {}", path,
                                           std::generic_category().message(errno)));
  }
  if ((facts.st_mode & kNotOwner) == 0) return {};
  return close_to_others(path, facts);
}

Result<void> check_folder_rights(const std::string& path) {
  struct stat facts{};
  fs::path there(path);
  while (::stat(there.c_str(), &facts) != 0 && errno == ENOENT && there.has_relative_path()) {
    there = there.parent_path();
  }
  if (!S_ISDIR(facts.st_mode)) return {};  // host_problems() tells
  if (::access(there.c_str(), W_OK | X_OK) != 0) {
    return fail(ErrorKind::unauthorized,
                fmt::format("this user cannot write in the folder {}", there.string()));
  }
  if (there != path || (facts.st_mode & kNotOwner) == 0) return {};
  const bool shared = is_shared(path, facts);
  const bool ours = facts.st_uid == ::geteuid() || ::geteuid() == 0;
  return shared || !ours ? check_rights(path, facts, shared) : Result<void>();
}

std::string made_at(const std::string& file) {
  struct statx facts{};
  if (::statx(AT_FDCWD, file.c_str(), 0, STATX_BTIME, &facts) != 0) return {};
  if ((facts.stx_mask & STATX_BTIME) == 0 || facts.stx_btime.tv_sec == 0) return {};
  return fmt::format("made {}.{:09}", facts.stx_btime.tv_sec, facts.stx_btime.tv_nsec);
}

Result<std::string> data_folder_id(const std::string& path, bool make) {
  const std::string file = (fs::path(path) / kNodeFile).string();
  std::error_code error;
  if (make && !fs::exists(file, error)) {
    constexpr std::size_t kOctets = 4;
    auto made = config::create_private_file(file, to_hex(random_octets(kOctets)) + "\n");
    if (!made && made.error().kind != ErrorKind::conflict) return fail(std::move(made.error()));
  }
  auto text = config::read_file(file);
  if (!text) return fail(std::move(text.error()));
  std::string id(trim(*text));
  const bool is_id = !id.empty() && id.size() <= 32 &&
                     std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7F; });
  if (is_id) return id;
  return fail(
      ErrorKind::corrupt,
      fmt::format("the file {} is damaged: remove it, and the next start makes it anew", file));
}

}  // namespace todoku::app
