// SPDX-License-Identifier: Apache-2.0
#include "app/data_folder.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/module_options.h"
#include "app/vault.h"
#include "base/log.h"
#include "config/files.h"
#include "store/sqlite/peek.h"

namespace todoku::app {
namespace {

namespace fs = std::filesystem;

// A command on a stopped engine holds the store for a moment; whoever watches asks again and again.
constexpr Milliseconds kLockWait{3'000};
constexpr mode_t kOthers = 07;
constexpr mode_t kNotOwner = 077;

// What todoku itself leaves in its folder, and what a fresh file system brings.
bool is_ours(const std::string& name) {
  return name.starts_with("todoku.db") || name == "admin.sock" || name == "lost+found" ||
         name.starts_with("import-") || name.starts_with('.');
}

struct Contents {
  bool database = false;
  bool foreign_file = false;
  bool foreign_folder = false;
  std::size_t uploads = 0;
  std::string saved;  // a database that was removed under an engine: StoreLock::rescue()

  // Whether others may live here as well.
  [[nodiscard]] bool shared() const { return foreign_folder || (foreign_file && !database); }
};

// Of a folder that cannot be listed: nothing.
Contents contents_of(const fs::path& folder) {
  Contents contents;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path name = entry->path().filename();
    std::error_code unknown;
    if (name == "todoku.db") contents.database = true;
    if (name.extension() == ".upload") ++contents.uploads;
    if (name.string().starts_with("todoku.db.saved")) contents.saved = entry->path().string();
    if (is_ours(name.string())) continue;
    (entry->is_directory(unknown) ? contents.foreign_folder : contents.foreign_file) = true;
  }
  return contents;
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

std::vector<std::string> signs_of_older_life(const config::Config& config) {
  std::vector<std::string> signs;
  const Contents contents = contents_of(config.data.directory);
  if (!contents.saved.empty()) {
    signs.push_back(
        fmt::format("what a database held that was removed under an engine, {}: move "
                    "it to where the database belongs",
                    contents.saved));
  }
  std::error_code error;
  const auto log = database_path(config).string() + "-wal";
  if (const auto octets = fs::file_size(log, error); !error && octets > 0) {
    signs.push_back("the log of a database, " + log);
  }
  if (contents.uploads > 0) {
    signs.push_back(fmt::format("{} uploaded lists", contents.uploads));
  }
  const std::string socket = admin_socket_path(config);
  if (fs::exists(fs::symlink_status(socket, error))) {
    signs.push_back("the admin socket of an engine, " + socket);
  }
  if (config.secrets.master_key.empty() && fs::exists(config.secrets.master_key_file, error)) {
    signs.push_back("the master key " + config.secrets.master_key_file);
  }
  return signs;
}

Result<void> nothing_of_old(const config::Config& config, std::string_view missing) {
  const auto signs = signs_of_older_life(config);
  if (signs.empty()) return {};
  return fail(ErrorKind::not_found,
              fmt::format("{}, but there is {}: restore the database from a backup, or have a new "
                          "store begun with --new if that is meant",
                          missing, fmt::join(signs, ", ")));
}

std::string is_missing(const config::Config& config) {
  return fmt::format("the database {} is missing", database_path(config).string());
}

// The folder, or the one that it would be made in.
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

Result<void> check_database(const config::Config& config) {
  const fs::path path = database_path(config);
  std::error_code error;
  if (!fs::exists(path, error)) return nothing_of_old(config, is_missing(config));
  const auto check_value = store::sqlite::peek_setting(path, kKeyCheckSetting);
  if (check_value) {
    return *check_value ? check_key_of_data(vault_options(config), **check_value) : Result<void>();
  }
  if (check_value.error().kind != ErrorKind::not_found) return fail(check_value.error());
  return nothing_of_old(config, check_value.error().detail);
}

}  // namespace

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

Result<std::unique_ptr<store::SqliteStore>> open_store(const config::Config& config,
                                                       const Clock& clock, bool begin_new,
                                                       const std::function<Result<void>()>& ready) {
  const auto may_begin = [&](std::string_view missing) {
    auto old = begin_new ? Result<void>() : nothing_of_old(config, missing);
    return old ? ready() : old;
  };
  // A start that is refused leaves no folder behind.
  std::error_code error;
  if (!fs::exists(config.data.directory, error)) {
    if (auto may = may_begin(is_missing(config)); !may) return fail(std::move(may.error()));
  }
  if (auto made = prepare_data_folder(config.data.directory); !made) {
    return fail(std::move(made.error()));
  }
  store::SqliteStore::Options options = store_options(config, clock);
  options.may_begin = false;
  options.lock_wait = kLockWait;
  auto opened = store::SqliteStore::open(options);
  if (opened || opened.error().kind != ErrorKind::not_found) return opened;
  if (auto may = may_begin(opened.error().detail); !may) return fail(std::move(may.error()));
  options.may_begin = true;
  opened = store::SqliteStore::open(options);
  if (opened) log::info("new store begun", {{"database", options.path.string()}});
  return opened;
}

std::vector<std::string> data_problems(const config::Config& config,
                                       const config::UnknownKeys& unknown) {
  std::vector<std::string> problems;
  const auto note = [&](const Result<void>& found) {
    if (!found) problems.push_back(found.error().detail);
  };
  if (unknown.spare({"data.directory"})) note(check_folder_rights(config.data.directory));
  if (unknown.spare({"data.directory", "secrets", "admin.socket"})) note(check_database(config));
  return problems;
}

}  // namespace todoku::app
