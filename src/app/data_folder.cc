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

#include "app/module_options.h"
#include "base/log.h"
#include "config/files.h"

namespace todoku::app {
namespace {

namespace fs = std::filesystem;

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
    if (is_ours(name.string())) continue;
    (entry->is_directory(unknown) ? contents.foreign_folder : contents.foreign_file) = true;
  }
  return contents;
}

// To close a folder is not to take it from others: /var/lib, say, by a slip in the configuration.
Result<void> close_to_others(const std::string& path, const struct stat& facts) {
  const bool shared = (facts.st_mode & S_ISVTX) != 0 || contents_of(path).shared();
  if (!shared && ::chmod(path.c_str(), 0700) == 0) {
    log::info("data folder closed to others", {{"folder", path}});
    return {};
  }
  // A group that may come in, as some platforms arrange it, finds files that it cannot read.
  if ((facts.st_mode & kOthers) == 0) return {};
  return fail(
      ErrorKind::unauthorized,
      fmt::format("others can read the data folder {} ({}): give todoku a folder of its "
                  "own (data.directory), or run `chmod 700 {}`",
                  path, shared ? "and it holds what is not todoku's" : "and it is not ours", path));
}

std::vector<std::string> signs_of_older_life(const config::Config& config) {
  std::vector<std::string> signs;
  std::error_code error;
  const auto log = database_path(config).string() + "-wal";
  if (const auto octets = fs::file_size(log, error); !error && octets > 0) {
    signs.push_back("the log of a database, " + log);
  }
  if (const std::size_t uploads = contents_of(config.data.directory).uploads; uploads > 0) {
    signs.push_back(fmt::format("{} uploaded lists", uploads));
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
                                                       const Clock& clock, bool begin_new) {
  if (auto ready = prepare_data_folder(config.data.directory); !ready) {
    return fail(std::move(ready.error()));
  }
  store::SqliteStore::Options options = store_options(config, clock);
  options.may_begin = false;
  auto opened = store::SqliteStore::open(options);
  if (opened || opened.error().kind != ErrorKind::not_found) return opened;
  const auto signs = signs_of_older_life(config);
  if (!signs.empty() && !begin_new) {
    return fail(ErrorKind::not_found,
                fmt::format("{}, but there is {}: restore the database from a backup, or have a "
                            "new store begun with --new if that is meant",
                            opened.error().detail, fmt::join(signs, ", ")));
  }
  options.may_begin = true;
  opened = store::SqliteStore::open(options);
  if (opened) log::info("new store begun", {{"database", options.path.string()}});
  return opened;
}

}  // namespace todoku::app
