// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/backup.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/backup_files.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/set_aside.h"
#include "store/sqlite/store_lock.h"

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;

// A step of the copy: about four mebioctets, after which others have their turn at the disk.
constexpr int kPagesOfStep = 1'024;
constexpr int kPauseMs = 1;
// What is to be left of the disk beyond the copy: mail goes on being accepted on it.
constexpr std::uint64_t kRoomLeft = std::uint64_t{64} << 20U;

std::uint64_t octets_of(const fs::path& path) {
  std::error_code error;
  const auto octets = fs::file_size(path, error);
  return error ? 0 : octets;
}

Result<void> check_room(const fs::path& folder, std::uint64_t needed) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error || space.available >= needed + kRoomLeft) return {};
  constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;
  return fail(ErrorKind::unavailable,
              fmt::format("there is too little room in {}: {} MiB are needed, {} are free",
                          folder.string(), (needed + kRoomLeft) / kMebi, space.available / kMebi));
}

// A database that is not whole yet; gone again, with what SQLite had beside it, unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(fs::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    if (!stays_) remove();
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  [[nodiscard]] Result<void> make() const {
    remove();  // of one that was broken off; its log would be taken into this one
    const int file = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) return path_error("cannot make", path_);
    ::close(file);
    return {};
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void outlives_failure() { stays_ = true; }
  // Under its name from now on, also after loss of power.
  [[nodiscard]] Result<void> keep_as(const fs::path& name) {
    if (auto synced = sync_path(path_); !synced) return synced;
    if (::rename(path_.c_str(), name.c_str()) != 0) return path_error("cannot name", name);
    stays_ = true;
    return sync_path(folder_beside(name));
  }

 private:
  void remove() const {
    for (const std::string_view part : {"", "-wal", "-shm", "-journal"}) {
      std::error_code ignored;
      fs::remove(path_.string() + std::string(part), ignored);
    }
  }

  const fs::path path_;
  bool stays_ = false;
};

// ---- the database ------------------------------------------------------------------------------

Result<void> copy_pages(Connection& from, Connection& to, const BackupTold& told) {
  sqlite3_backup* const copy = sqlite3_backup_init(to.raw(), "main", from.raw(), "main");
  if (copy == nullptr) {
    return fail(sqlite_error(sqlite3_errcode(to.raw()), sqlite3_errmsg(to.raw()), "copying"));
  }
  int code = SQLITE_OK;
  bool goes_on = true;
  while (goes_on && code == SQLITE_OK) {
    code = sqlite3_backup_step(copy, kPagesOfStep);
    const std::int64_t pages = sqlite3_backup_pagecount(copy);
    goes_on = !told || told(pages - sqlite3_backup_remaining(copy), pages);
    if (code == SQLITE_OK && goes_on) sqlite3_sleep(kPauseMs);
  }
  sqlite3_backup_finish(copy);
  if (!goes_on) return fail(ErrorKind::cancelled, "given up");
  if (code == SQLITE_DONE) return {};
  return fail(sqlite_error(code, sqlite3_errmsg(to.raw()), "copying the database"));
}

Result<void> check_integrity(Connection& db) {
  auto query = db.query("PRAGMA integrity_check(1)");
  if (query.next() && query.text(0) == "ok") return {};
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::corrupt, fmt::format("it is damaged: {}", query.text(0)));
}

Result<BackupFigures> figures_of(Connection& db) {
  BackupFigures figures;
  const auto count = [&db](std::int64_t& number, Sql sql) -> Result<void> {
    const auto counted = db.integer(sql);
    if (!counted) return fail(counted.error());
    number = *counted;
    return {};
  };
  for (auto&& done : {count(figures.deliveries, "SELECT count(*) FROM deliveries"),
                      count(figures.recipients, "SELECT count(*) FROM recipients"),
                      count(figures.suppressions, "SELECT count(*) FROM suppressions"),
                      count(figures.files, "SELECT count(DISTINCT name) FROM backup_files")}) {
    if (!done) return fail(done.error());
  }
  return figures;
}

// ---- backup ------------------------------------------------------------------------------------

// Begins a moment in which every file is held that the store names. One that came since the last
// look may have gone again before this one: then another moment is tried.
Result<void> begin_moment(Connection& db, HeldFiles& files) {
  constexpr int kMomentsMax = 5;
  std::string missing;
  for (int moment = 0; moment < kMomentsMax; ++moment) {
    auto done = moment == 0 ? Result<void>() : db.execute("ROLLBACK");
    if (done) done = db.execute("BEGIN");
    if (!done) return done;
    auto found = files.missing(db);  // the moment is that of the first question
    if (!found) return fail(std::move(found.error()));
    if (found->empty()) return {};
    if (auto looked = files.look(); !looked) return looked;
    found = files.missing(db);
    if (!found) return fail(std::move(found.error()));
    if (found->empty()) return {};
    missing = std::move(*found);
  }
  return fail(ErrorKind::io,
              fmt::format("the file {} is missing beside the database, and one of its jobs has it: "
                          "put it back, or an empty file in its place",
                          missing));
}

Result<void> copy_database(const BackupOrder& order, const fs::path& to, HeldFiles& files) {
  auto from =
      Connection::open({.path = order.database.string(), .access = Connection::Access::reads});
  if (!from) return fail(std::move(from.error()));
  const auto version = version_of(**from);
  if (!version) return fail(version.error());
  if (*version == 0) return fail(ErrorKind::not_found, "the database has no content");
  auto copy = Connection::open({.path = to.string(), .synchronous = "OFF"});
  if (!copy) return fail(std::move(copy.error()));
  // A moment that is held: without it each commit of the engine would have the copy begin anew.
  if (auto begun = begin_moment(**from, files); !begun) return begun;
  return copy_pages(**from, **copy, order.told);
}

Result<void> nothing_at(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return {};
  return fail(ErrorKind::conflict, fmt::format("{} is there already", path.string()));
}

// ---- restore -----------------------------------------------------------------------------------

// They are in the copy of it, and then once more beside it.
Result<std::uint64_t> octets_of_files(const fs::path& backup) {
  auto db = Connection::open({.path = backup.string(), .access = Connection::Access::as_it_lies});
  if (!db) return fail(std::move(db.error()));
  const auto octets = (*db)->integer("SELECT sum(length(octets)) FROM backup_files");
  if (!octets) return fail(octets.error());
  return static_cast<std::uint64_t>(std::max(*octets, std::int64_t{0}));
}

// The store that is in a backup, and its files, beside the place of what they are to replace.
Result<void> make_store(const BackupOrder& order, const fs::path& database, const fs::path& files) {
  auto from =
      Connection::open({.path = order.backup.string(), .access = Connection::Access::as_it_lies});
  if (!from) return fail(std::move(from.error()));
  auto to = Connection::open({.path = database.string(), .synchronous = "OFF"});
  if (!to) return fail(std::move(to.error()));
  auto done = copy_pages(**from, **to, order.told);
  if (done) done = write_files(**to, order.is_kept, files);
  if (done) done = (*to)->execute("DROP TABLE backup_files; PRAGMA journal_mode = DELETE");
  return done;
}

// Before the database has its name: an engine that starts finds both or refuses.
Result<void> move_files(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::directory_iterator entry(from, error);
  std::vector<fs::path> files;
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    files.push_back(entry->path());
  }
  if (error) return fail(ErrorKind::io, fmt::format("cannot read {}", from.string()));
  for (const fs::path& file : files) {
    const fs::path name = to / file.filename();
    if (::rename(file.c_str(), name.c_str()) != 0) return path_error("cannot name", name);
  }
  return sync_path(to);
}

}  // namespace

// One file that needs nothing beside it.
Result<BackupFigures> finish_backup(const HeldFiles& files, const fs::path& path) {
  auto db = Connection::open({.path = path.string(), .synchronous = "OFF"});
  if (!db) return fail(std::move(db.error()));
  // Before the files: through a log they would need their room twice.
  auto done = (*db)->execute("PRAGMA journal_mode = DELETE");
  if (done) done = files.put_into(**db);
  if (done) done = check_integrity(**db);
  if (!done) return fail(std::move(done.error()));
  const auto version = version_of(**db);
  if (!version) return fail(version.error());
  auto figures = figures_of(**db);
  if (!figures) return figures;
  figures->version = *version;
  return figures;
}

Result<void> copy_pages_of(const fs::path& database, const fs::path& copy, const BackupTold& told) {
  auto room =
      check_room(folder_beside(copy), octets_of(database) + octets_of(database.string() + "-wal"));
  if (!room) return room;
  Unfinished file(copy);
  if (auto made = file.make(); !made) return made;
  {
    auto from = Connection::open({.path = database.string(), .access = Connection::Access::reads});
    if (!from) return fail(std::move(from.error()));
    auto to = Connection::open({.path = copy.string(), .synchronous = "OFF"});
    if (!to) return fail(std::move(to.error()));
    auto done = (*from)->execute("BEGIN");
    if (done) {
      const auto seen = (*from)->integer("SELECT count(*) FROM meta");  // the moment is held
      if (!seen) return fail(seen.error());
      done = copy_pages(**from, **to, told);
    }
    if (!done) return done;
  }
  file.outlives_failure();
  return {};
}

Result<BackupFigures> back_up(const BackupOrder& order) {
  std::error_code error;
  if (!fs::exists(order.database, error)) {
    return fail(ErrorKind::not_found, fmt::format("there is no {}", order.database.string()));
  }
  if (auto free = nothing_at(order.backup); !free) return fail(std::move(free.error()));
  std::uint64_t needed = octets_of(order.database) + octets_of(order.database.string() + "-wal");
  const auto beside = files_beside(order.database, order.is_kept);
  if (!beside) return fail(beside.error());
  const bool copied = !on_one_disk(folder_beside(order.database), folder_beside(order.backup));
  for (const fs::path& path : *beside) needed += octets_of(path) * (copied ? 2 : 1);
  auto room = check_room(folder_beside(order.backup), needed);
  if (!room) return fail(std::move(room.error()));
  Unfinished file(order.backup.string() + ".part");
  const PassingFolder folder(order.backup.string() + ".part-files");
  HeldFiles files(order.database, order.is_kept, folder.path());
  auto done = file.make();
  if (done) done = folder.make();
  if (done) done = files.look();
  if (done) done = copy_database(order, file.path(), files);
  if (!done) return fail(std::move(done.error()));
  auto figures = finish_backup(files, file.path());
  if (!figures) return figures;
  figures->octets = octets_of(file.path());
  if (auto kept = file.keep_as(order.backup); !kept) return fail(std::move(kept.error()));
  return figures;
}

Result<BackupFigures> check_backup(const fs::path& backup) {
  std::error_code error;
  if (!fs::is_regular_file(backup, error)) {
    return fail(ErrorKind::not_found, fmt::format("there is no file {}", backup.string()));
  }
  auto db = Connection::open({.path = backup.string(), .access = Connection::Access::as_it_lies});
  if (!db) return fail(std::move(db.error()));
  const auto version = version_of(**db);
  if (!version) return fail(version.error());
  const auto whole =
      (*db)->integer("SELECT count(*) FROM sqlite_schema WHERE name = 'backup_files'");
  if (!whole) return fail(whole.error());
  if (*version == 0 || *whole == 0) {
    return fail(ErrorKind::corrupt,
                fmt::format("{} is no backup made by `todoku backup`", backup.string()));
  }
  if (auto sound = check_integrity(**db); !sound) return fail(std::move(sound.error()));
  auto figures = figures_of(**db);
  if (!figures) return figures;
  figures->version = *version;
  figures->octets = octets_of(backup);
  return figures;
}

Result<Restored> restore(const BackupOrder& order, bool replace) {
  auto figures = check_backup(order.backup);
  if (!figures) return fail(std::move(figures.error()));
  auto lock = StoreLock::acquire(order.database);
  if (!lock) return fail(lock.error());
  auto free = nothing_at(order.database);
  if (!free && !replace) return fail(std::move(free.error()));
  std::error_code error;
  if (fs::exists(order.database, error)) {
    // Its log is to be taken into it, by us alone.
    if (auto taken = lock->take_file(false); !taken) return fail(std::move(taken.error()));
  }
  const auto files_too = octets_of_files(order.backup);
  if (!files_too) return fail(files_too.error());
  auto room = check_room(folder_beside(order.database), figures->octets + *files_too);
  if (!room) return fail(std::move(room.error()));
  Unfinished file(order.database.string() + ".restoring");
  const PassingFolder files(order.database.string() + ".restoring-files");
  auto done = file.make();
  if (done) done = files.make();
  if (done) done = make_store(order, file.path(), files.path());
  if (done) done = sync_path(file.path());
  if (!done) return fail(std::move(done.error()));
  // From here until the end there is no database, and what lies there says why.
  file.outlives_failure();
  auto aside = set_aside(order.database, order.is_kept);
  if (!aside) return fail(std::move(aside.error()));
  done = move_files(files.path(), folder_beside(order.database));
  if (done) done = file.keep_as(order.database);
  if (!done) return fail(std::move(done.error()));
  return Restored{.figures = *figures, .replaced = std::move(*aside)};
}

}  // namespace todoku::store::sqlite
