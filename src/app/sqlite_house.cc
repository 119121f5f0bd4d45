// SPDX-License-Identifier: Apache-2.0
#include "app/sqlite_house.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/data_folder.h"
#include "app/hold.h"
#include "app/module_options.h"
#include "app/vault.h"
#include "base/log.h"
#include "intake/uploads.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/gather_shipped.h"
#include "store/sqlite/peek.h"
#include "store/sqlite/sqlite_store.h"

namespace todoku::app {
namespace {

// A command on a stopped engine holds the store for a moment; whoever watches asks again and again.
constexpr Milliseconds kLockWait{3'000};

std::vector<std::string> signs_of_older_life(const config::Config& config) {
  std::vector<std::string> signs;
  const FolderContents contents = contents_of(config.data.directory);
  if (!contents.saved.empty()) {
    signs.push_back(
        fmt::format("what a database held that was removed under an engine, {}: move "
                    "it to where the database belongs",
                    contents.saved));
  }
  if (!contents.restoring.empty()) {
    signs.push_back(fmt::format("what a restore has left that was broken off, {}: run it again",
                                contents.restoring));
  }
  std::error_code error;
  const auto log = database_path(config).string() + "-wal";
  if (const auto octets = std::filesystem::file_size(log, error); !error && octets > 0) {
    signs.push_back("the log of a database, " + log);
  }
  if (contents.uploads > 0) {
    signs.push_back(fmt::format("{} uploaded lists", contents.uploads));
  }
  const std::string socket = admin_socket_path(config);
  if (std::filesystem::exists(std::filesystem::symlink_status(socket, error))) {
    signs.push_back("the admin socket of an engine, " + socket);
  }
  if (config.secrets.master_key.empty() &&
      std::filesystem::exists(config.secrets.master_key_file, error)) {
    signs.push_back("the master key " + config.secrets.master_key_file);
  }
  return signs;
}

std::string is_missing(const config::Config& config) {
  return fmt::format("the database {} is missing", database_path(config).string());
}

}  // namespace

Result<void> SqliteHouse::nothing_of_old(std::string_view missing) const {
  const auto signs = signs_of_older_life(config_);
  if (signs.empty()) return {};
  return fail(ErrorKind::not_found,
              fmt::format("{}, but there is {}: restore the database from a backup, or have a new "
                          "store begun with --new if that is meant",
                          missing, fmt::join(signs, ", ")));
}

Result<std::unique_ptr<store::Store>> SqliteHouse::open(const Start& start) {
  if (config_.shipping.to.empty()) return open_with(start, nullptr);
  return open_with(start, &capture_.emplace(database_path(config_)));
}

Result<std::unique_ptr<store::Store>> SqliteHouse::open_with(const Start& start,
                                                             store::sqlite::LogCapture* capture) {
  const auto may_begin = [&](std::string_view missing) {
    auto old = start.begin_new ? Result<void>() : nothing_of_old(missing);
    return old ? start.ready() : old;
  };
  // A start that is refused leaves no folder behind.
  std::error_code error;
  if (!std::filesystem::exists(config_.data.directory, error)) {
    if (auto may = may_begin(is_missing(config_)); !may) return fail(std::move(may.error()));
  }
  if (auto made = prepare_data_folder(config_.data.directory); !made) {
    return fail(std::move(made.error()));
  }
  store::SqliteStore::Options options = store_options(config_, clock_);
  options.may_begin = false;
  options.lock_wait = kLockWait;
  options.capture = capture;
  auto opened = store::SqliteStore::open(options);
  if (opened || opened.error().kind != ErrorKind::not_found) return opened;
  if (auto may = may_begin(opened.error().detail); !may) return fail(std::move(may.error()));
  options.may_begin = true;
  opened = store::SqliteStore::open(options);
  if (opened) log::info("new store begun", {{"database", options.path.string()}});
  return opened;
}

// Whoever has the lock is the only one.
std::unique_ptr<intake::Uploads> SqliteHouse::uploads(store::Store& store,
                                                      std::function<store::NodeKey()> node) const {
  (void)store;
  (void)node;
  return std::make_unique<intake::FolderUploads>(config_.data.directory);
}

Result<store::NewNode> SqliteHouse::node() const {
  return store::NewNode{.name = "embedded", .roles = {}, .version = {}};
}

Result<void> SqliteHouse::check_database() const {
  const std::filesystem::path path = database_path(config_);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nothing_of_old(is_missing(config_));
  const auto check_value = store::sqlite::peek_setting(path, kKeyCheckSetting);
  if (check_value) {
    auto key =
        *check_value ? check_key_of_data(vault_options(config_), **check_value) : Result<void>();
    if (!key) return key;
    return check_names(
        config_, [&](std::string_view name) { return store::sqlite::peek_setting(path, name); });
  }
  if (check_value.error().kind != ErrorKind::not_found) return fail(check_value.error());
  return nothing_of_old(check_value.error().detail);
}

std::vector<std::string> SqliteHouse::problems(const config::UnknownKeys& unknown) const {
  std::vector<std::string> problems;
  const auto note = [&](const Result<void>& found) {
    if (!found) problems.push_back(found.error().detail);
  };
  if (unknown.spare({"data.directory"})) note(check_folder_rights(config_.data.directory));
  if (unknown.spare({"data.directory", "secrets", "admin.socket"})) note(check_database());
  return problems;
}

Result<cli::Schema> SqliteHouse::schema() {
  return cli::Schema{.kind = "sqlite", .place = place(), .by_itself = true, .steps = {}};
}

Result<void> SqliteHouse::migrate(bool contract, std::chrono::seconds patience,
                                  const cli::MigrationBlocked& blocked) {
  (void)contract;
  (void)patience;
  (void)blocked;
  return {};
}

Result<cli::Carriage> SqliteHouse::carry_in(const std::string& from,
                                            const cli::CarriageTold& told) {
  (void)from;
  (void)told;
  return fail(ErrorKind::unsupported,
              "a store is carried over to PostgreSQL, but store.kind is \"sqlite\" here: name the "
              "configuration of the new installation with --config");
}

namespace {

store::sqlite::BackupOrder backup_order(const config::Config& config, const std::string& backup,
                                        const cli::BackupTold& told) {
  return {.database = database_path(config),
          .backup = backup,
          .is_kept = [](const std::string& name) { return intake::is_upload_file(name); },
          .told = told};
}

cli::BackedUp backed_up(const store::sqlite::BackupFigures& figures, std::string place,
                        SteadyInstant began) {
  return {.place = std::move(place),
          .version = figures.version,
          .deliveries = figures.deliveries,
          .recipients = figures.recipients,
          .suppressions = figures.suppressions,
          .files = figures.files,
          .octets = figures.octets,
          .took = std::chrono::duration_cast<Milliseconds>(SystemClock().steady_now() - began),
          .replaced = {},
          .at = {}};
}

}  // namespace

Result<cli::BackedUp> SqliteHouse::back_up(const std::string& to, const cli::BackupTold& told) {
  const SteadyInstant began = SystemClock().steady_now();
  const auto figures = store::sqlite::back_up(backup_order(config_, to, told));
  if (!figures) return fail(figures.error());
  return backed_up(*figures, to, began);
}

namespace {

// A backup that is made of what was shipped; gone with its owner.
class ShippedBackup {
 public:
  explicit ShippedBackup(std::string path) : path_(std::move(path)) { remove(); }
  ~ShippedBackup() { remove(); }
  ShippedBackup(const ShippedBackup&) = delete;
  ShippedBackup& operator=(const ShippedBackup&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::string path_;
};

std::unique_ptr<store::sqlite::ShippedPlace> place_of(const std::string& to) {
  return std::make_unique<store::sqlite::FolderPlace>(to);
}

bool is_shipped(const std::string& from) {
  std::error_code error;
  return std::filesystem::is_directory(from, error);
}

}  // namespace

Result<cli::BackedUp> SqliteHouse::restore(const cli::RestoreWish& wish,
                                           const cli::BackupTold& told) {
  const SteadyInstant began = SystemClock().steady_now();
  if (auto made = prepare_data_folder(config_.data.directory); !made) {
    return fail(std::move(made.error()));
  }
  if (!is_shipped(wish.from)) {
    if (!wish.at) return restore_backup(wish.from, wish.replace, told, began);
    return fail(ErrorKind::invalid_input,
                fmt::format("--at goes with the folder to which a store was shipped: {} is none",
                            wish.from));
  }
  const ShippedBackup backup(database_path(config_).string() + ".shipped");
  const auto place = place_of(wish.from);
  const auto gathered =
      store::sqlite::gather_shipped(*place, wish.at, backup_order(config_, backup.path(), told));
  if (!gathered) return fail(gathered.error());
  auto restored = restore_backup(backup.path(), wish.replace, told, began);
  if (restored) restored->at = gathered->at;
  return restored;
}

Result<cli::BackedUp> SqliteHouse::restore_backup(const std::string& from, bool replace,
                                                  const cli::BackupTold& told,
                                                  SteadyInstant began) {
  const auto restored = store::sqlite::restore(backup_order(config_, from, told), replace);
  if (!restored) {
    const bool is_there = restored.error().kind == ErrorKind::conflict && !replace;
    if (!is_there) return fail(restored.error());
    return fail(ErrorKind::conflict,
                restored.error().detail +
                    ": with --replace it is set aside with its files, and "
                    "nothing of it is lost; an engine that works on it must be stopped");
  }
  cli::BackedUp answer = backed_up(restored->figures, place(), began);
  answer.replaced = restored->replaced.string();
  const auto check_value = store::sqlite::peek_setting(database_path(config_), kKeyCheckSetting);
  answer.other_key =
      check_value && *check_value && !check_key_of_data(vault_options(config_), **check_value);
  return answer;
}

// ---- shipping ----------------------------------------------------------------------------------

Result<void> SqliteHouse::begin_shipping(Metrics& metrics, std::string id) {
  const config::Config::Shipping& shipping = config_.shipping;
  if (!capture_) return {};
  place_ = place_of(shipping.to);
  store::sqlite::ShipOptions options;
  options.database = database_path(config_);
  options.store = std::move(id);
  options.is_kept = [](const std::string& name) { return intake::is_upload_file(name); };
  options.every = std::chrono::seconds(shipping.every_seconds);
  options.snapshot_every = std::chrono::hours(shipping.snapshot_hours);
  options.keep = std::chrono::days(shipping.keep_days);
  shipper_.emplace(
      store::sqlite::LogShipper::World{
          .capture = *capture_, .place = *place_, .clock = clock_, .metrics = metrics},
      std::move(options));
  shipper_->start();
  return {};
}

void SqliteHouse::rest_shipping() {
  if (shipper_) shipper_->rest();
}

void SqliteHouse::end_shipping() {
  if (shipper_) shipper_->stop();
}

std::string SqliteHouse::shipping_trouble() const {
  return shipper_ ? shipper_->trouble() : std::string();
}

void SqliteHouse::show_shipping() const {
  if (shipper_) shipper_->show_lag();
}

std::string SqliteHouse::place() const {
  return database_path(config_).string();
}

}  // namespace todoku::app
