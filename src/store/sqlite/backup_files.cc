// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/backup_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceOctets = std::size_t{1} << 20U;

std::unexpected<Error> path_error_of(std::string_view what, const fs::path& path,
                                     const std::error_code& error) {
  errno = error.value();
  return path_error(what, path);
}

Result<void> put_file(Connection& db, const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return path_error("cannot open", path);
  std::string piece(kPieceOctets, '\0');
  for (std::int64_t number = 0;; ++number) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto octets = static_cast<std::size_t>(file.gcount());
    if (octets == 0 && number > 0) break;
    auto done = db.query("INSERT INTO backup_files(name, piece, octets) VALUES(?, ?, ?)")
                    .bind(std::string_view(path.filename().native()), number,
                          Blob{std::string_view(piece).substr(0, octets)})
                    .run();
    if (!done) return done;
  }
  return file.bad() ? path_error("cannot read", path) : Result<void>();
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && !name.starts_with('.');
}

Result<void> write_piece(const fs::path& path, std::string_view octets, bool first) {
  const int file =
      ::open(path.c_str(),
             O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (first ? O_TRUNC : O_APPEND), 0600);
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

}  // namespace

std::unexpected<Error> path_error(std::string_view what, const fs::path& path) {
  const int reason = errno;
  const ErrorKind kind =
      reason == ENOSPC || reason == EDQUOT ? ErrorKind::unavailable : ErrorKind::io;
  return fail(
      kind, fmt::format("{} {}: {}", what, path.string(), std::generic_category().message(reason)));
}

fs::path folder_beside(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

bool on_one_disk(const fs::path& one, const fs::path& other) {
  struct stat first{};
  struct stat second{};
  return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev;
}

Result<void> sync_path(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return path_error("cannot open", path);
  const bool synced = ::fsync(file) == 0;
  const int reason = errno;
  ::close(file);
  errno = reason;
  return synced ? Result<void>() : path_error("cannot sync", path);
}

Result<std::vector<fs::path>> files_beside(const fs::path& database, const IsKept& is_kept) {
  std::vector<fs::path> files;
  const fs::path folder = folder_beside(database);
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!is_kept || !is_kept(entry->path().filename().string())) continue;
    std::error_code unknown;
    const fs::file_status status = entry->symlink_status(unknown);
    if (unknown && unknown != std::errc::no_such_file_or_directory) {
      return path_error_of("cannot look at", entry->path(), unknown);
    }
    if (fs::is_regular_file(status)) files.push_back(entry->path());
  }
  if (error) return path_error_of("cannot read the folder", folder, error);
  std::ranges::sort(files);
  return files;
}

PassingFolder::~PassingFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Result<void> PassingFolder::make() const {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  return ::mkdir(path_.c_str(), 0700) == 0 ? Result<void>() : path_error("cannot make", path_);
}

Result<void> HeldFiles::look() {
  const auto files = files_beside(database_, is_kept_);
  if (!files) return fail(files.error());
  for (const fs::path& file : *files) {
    const std::string name = file.filename().string();
    if (names_.contains(name)) continue;
    const auto held = hold(file);
    if (!held) return fail(held.error());
    if (*held) names_.insert(name);
  }
  return {};
}

// False: it went meanwhile, and nobody needs it any more.
Result<bool> HeldFiles::hold(const fs::path& file) const {
  const fs::path held = folder_ / file.filename();
  if (::link(file.c_str(), held.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  std::error_code error;
  fs::copy_file(file, held, error);
  if (!error) return true;
  if (error == std::errc::no_such_file_or_directory) return false;
  return path_error_of("cannot copy", file, error);
}

// Of an earlier version's CSV there is only the archive once somebody has asked for it.
bool HeldFiles::holds(const std::string& name) const {
  return names_.contains(name) ||
         names_.contains(fs::path(name).replace_extension(".zip").string());
}

Result<std::string> HeldFiles::missing(Connection& db) const {
  auto query = db.query(
      "SELECT j.upload_file || j.dry_file FROM import_jobs j"
      " JOIN deliveries d ON d.key = j.delivery"
      " WHERE d.deleted = 0 AND j.status = 1 AND j.upload_file || j.dry_file <> ''"
      " UNION SELECT j.error_file FROM import_jobs j JOIN deliveries d ON d.key = j.delivery"
      " WHERE d.deleted = 0 AND j.error_file <> ''"
      " UNION SELECT file FROM export_jobs WHERE file <> ''");
  while (query.next()) {
    std::string name(query.text(0));
    if (!holds(name)) return name;
  }
  if (query.failed()) return fail(query.error());
  return std::string();
}

Result<void> HeldFiles::put_into(Connection& backup) const {
  auto done = backup.execute(
      "BEGIN; CREATE TABLE backup_files(name TEXT NOT NULL, piece INTEGER NOT NULL,"
      " octets BLOB NOT NULL, PRIMARY KEY(name, piece)) WITHOUT ROWID");
  for (const std::string& name : names_) {
    if (done) done = put_file(backup, folder_ / name);
  }
  return done ? backup.execute("COMMIT") : done;
}

Result<void> write_files(Connection& backup, const IsKept& is_kept, const fs::path& folder) {
  auto query = backup.query("SELECT name, piece, octets FROM backup_files ORDER BY name, piece");
  while (query.next()) {
    const std::string name(query.text(0));
    if (!is_plain_name(name) || !is_kept || !is_kept(name)) {
      return fail(ErrorKind::corrupt, "a file in the backup has a name that none of ours has");
    }
    auto written = write_piece(folder / name, query.blob(2), query.integer(1) == 0);
    if (!written) return written;
  }
  return query.failed() ? Result<void>(fail(query.error())) : Result<void>();
}

}  // namespace todoku::store::sqlite
