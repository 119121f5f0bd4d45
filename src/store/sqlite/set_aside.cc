// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/set_aside.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;

bool lies_at(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

// Whoever closes a database last takes its log into it. Where that fails the log stays and is moved
// as it is.
void settle_log(const fs::path& database) {
  std::error_code error;
  const auto octets = fs::file_size(database, error);
  if (error || octets == 0) return;  // SQLite removes the log of an empty one
  const auto db = Connection::open({.path = database.string()});
  if (db) (void)(*db)->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

// A link goes on leading to where it did.
Result<void> move_link(const fs::path& link, const fs::path& to) {
  std::error_code error;
  const fs::path target = fs::absolute(folder_beside(link) / fs::read_symlink(link, error), error);
  if (!error) fs::create_symlink(target, to, error);
  if (!error) fs::remove(link, error);
  if (!error) return {};
  errno = error.value();
  return path_error("cannot set aside", link);
}

Result<void> move_into(const fs::path& folder, const fs::path& file) {
  if (!lies_at(file)) return {};
  const fs::path to = folder / file.filename();
  if (lies_at(to)) {
    return fail(ErrorKind::conflict,
                fmt::format("{} cannot be set aside: {} is there already, of a restore that was "
                            "broken off; move one of them elsewhere",
                            file.string(), to.string()));
  }
  std::error_code error;
  if (fs::is_symlink(file, error)) return move_link(file, to);
  return ::rename(file.c_str(), to.c_str()) == 0 ? Result<void>()
                                                 : path_error("cannot set aside", file);
}

// Under its name from now on, also after loss of power.
Result<fs::path> name_replaced(const fs::path& database, const fs::path& filled) {
  fs::path aside;
  for (int number = 1; aside.empty() || lies_at(aside); ++number) {
    aside = fmt::format("{}.replaced-{}", database.string(), number);
  }
  if (auto synced = sync_path(filled); !synced) return fail(std::move(synced.error()));
  if (::rename(filled.c_str(), aside.c_str()) != 0) return path_error("cannot name", aside);
  if (auto synced = sync_path(folder_beside(database)); !synced) {
    return fail(std::move(synced.error()));
  }
  return aside;
}

}  // namespace

Result<fs::path> set_aside(const fs::path& database, const IsKept& is_kept) {
  const fs::path filled = database.string() + ".replacing";
  // Somebody has begun another store since a restore was broken off.
  if (lies_at(database) && lies_at(filled / database.filename())) {
    if (auto named = name_replaced(database, filled); !named) return named;
  }
  auto files = files_beside(database, is_kept);
  if (!files) return fail(std::move(files.error()));
  constexpr std::array<std::string_view, 3> kInOrder{"", "-wal", "-shm"};
  std::vector<fs::path> all;
  settle_log(database);
  for (const std::string_view part : kInOrder) all.push_back(database.string() + std::string(part));
  all.insert(all.end(), files->begin(), files->end());
  if (!lies_at(filled) && std::ranges::none_of(all, lies_at)) return fs::path();
  if (::mkdir(filled.c_str(), 0700) != 0 && errno != EEXIST) {
    return path_error("cannot make", filled);
  }
  for (const fs::path& path : all) {
    if (auto moved = move_into(filled, path); !moved) return fail(std::move(moved.error()));
  }
  return name_replaced(database, filled);
}

}  // namespace todoku::store::sqlite
