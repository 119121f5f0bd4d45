// SPDX-License-Identifier: Apache-2.0
#include "app/postgres_house.h"

#include <filesystem>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/data_folder.h"
#include "app/database_password.h"
#include "app/hold.h"
#include "app/module_options.h"
#include "app/vault.h"
#include "app/version.h"
#include "base/log.h"
#include "intake/stored_uploads.h"
#include "store/postgres/address.h"
#include "store/postgres/migration.h"
#include "store/postgres/peek.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kFolderWait{3'000};  // for who is just ending
constexpr Milliseconds kFolderPause{20};
constexpr Milliseconds kServerPause = 1s;
constexpr Milliseconds kGivenUpWithin{100};

Result<store::sqlite::StoreLock> lock_folder(const config::Config& config) {
  for (Milliseconds waited(0);; waited += kFolderPause) {
    auto lock = store::sqlite::StoreLock::acquire(database_path(config),
                                                  "the data folder " + config.data.directory);
    if (lock || lock.error().kind != ErrorKind::conflict || waited >= kFolderWait) return lock;
    std::this_thread::sleep_for(kFolderPause);
  }
}

// libpq has several.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank) {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  return line;
}

bool is_given_up(const StoreHouse::Start& start) {
  return start.given_up && start.given_up();
}

std::unexpected<Error> given_up() {
  return fail(ErrorKind::cancelled, "the start was given up");
}

// False if the start was given up meanwhile.
bool pause_before_next_try(const StoreHouse::Start& start) {
  for (Milliseconds waited(0); waited < kServerPause; waited += kGivenUpWithin) {
    if (is_given_up(start)) return false;
    std::this_thread::sleep_for(kGivenUpWithin);
  }
  return true;
}

}  // namespace

store::PostgresStore::Options PostgresHouse::options() const {
  store::PostgresStore::Options options;
  options.dial.address = config_.postgres.address;
  options.dial.password = database_password(config_.postgres);
  options.dial.connect_max = std::chrono::seconds(config_.postgres.connect_seconds);
  options.must_keep = true;
  return options;
}

std::unexpected<Error> PostgresHouse::told(Error error) const {
  error.detail = on_one_line(error.detail);
  return fail(place(), std::move(error));
}

namespace {

std::unexpected<Error> backed_up_elsewhere() {
  return fail(ErrorKind::unsupported,
              "the store is in PostgreSQL: back it up and restore it by the database's own means "
              "(docs/operating.md, \"Backup and restore\")");
}

}  // namespace

Result<cli::BackedUp> PostgresHouse::back_up(const std::string& to, const cli::BackupTold& told) {
  (void)to;
  (void)told;
  return backed_up_elsewhere();
}

Result<cli::BackedUp> PostgresHouse::restore(const cli::RestoreWish& wish,
                                             const cli::BackupTold& told) {
  (void)wish;
  (void)told;
  return backed_up_elsewhere();
}

Result<void> PostgresHouse::begin_shipping(Metrics& metrics, std::string id) {
  (void)metrics;
  (void)id;
  if (config_.shipping.to.empty()) return {};
  return fail(ErrorKind::invalid_input,
              "shipping.to: the store is in PostgreSQL, which ships its own log: take the key out "
              "(docs/operating.md, \"Backup and restore\")");
}

std::string PostgresHouse::place() const {
  return store::postgres::describe_address(config_.postgres.address);
}

Result<void> PostgresHouse::check_settings() const {
  const auto address = store::postgres::check_address(config_.postgres.address);
  if (!address && address.error().kind == ErrorKind::unsupported) {
    return fail(ErrorKind::invalid_input,
                fmt::format("store.postgres.address: {}: put it into a file and name that in "
                            "store.postgres.password_file, or have store.postgres.password_command "
                            "or the variable TODOKU_STORE__POSTGRES__PASSWORD give it",
                            address.error().detail));
  }
  if (!address) return fail("store.postgres.address", address.error());
  return check_password_source(config_.postgres);
}

Result<void> PostgresHouse::take_folder(const Start& start) {
  // A start that is refused leaves no folder behind.
  std::error_code error;
  if (!std::filesystem::exists(config_.data.directory, error)) {
    if (auto ready = start.ready(); !ready) return ready;
  }
  if (auto made = prepare_data_folder(config_.data.directory); !made) return made;
  auto lock = lock_folder(config_);
  if (!lock) return fail(std::move(lock.error()));
  lock_.emplace(std::move(*lock));
  return {};
}

// Of all steps of a start together.
bool PostgresHouse::tries_again(const Start& start, const Error& why) {
  if (why.kind != ErrorKind::unavailable || is_given_up(start)) return false;
  const std::chrono::seconds patience(config_.postgres.start_seconds);
  const SteadyInstant now = SystemClock().steady_now();
  if (waits_until_ == SteadyInstant{}) {
    waits_until_ = now + patience;
    log::warning("the database cannot be reached yet, trying again",
                 {{"database", place()},
                  {"reason", on_one_line(why.detail)},
                  {"seconds_at_most", patience.count()}});
  }
  return now < waits_until_ && pause_before_next_try(start);
}

Result<std::unique_ptr<store::PostgresStore>> PostgresHouse::open_patiently(const Start& start) {
  while (true) {
    auto opened = store::PostgresStore::open(options());
    if (opened || opened.error().kind != ErrorKind::unavailable) return opened;
    if (tries_again(start, opened.error())) continue;
    if (is_given_up(start)) return given_up();
    return fail(ErrorKind::unavailable,
                fmt::format("{} (tried for {} s: store.postgres.start_seconds)",
                            opened.error().detail, config_.postgres.start_seconds));
  }
}

// Of a database in which no engine has started yet: whether there was a store elsewhere.
Result<void> PostgresHouse::nothing_of_old(store::Store& store) const {
  const auto check_value = store.read_and_wait(
      [](store::ReadTransaction& transaction) { return transaction.setting(kKeyCheckSetting); });
  if (!check_value) return fail(check_value.error());
  return *check_value ? Result<void>() : nothing_in_folder();
}

Result<void> PostgresHouse::nothing_in_folder() const {
  const FolderContents contents = contents_of(config_.data.directory);
  if (contents.database) {
    return fail(ErrorKind::not_found,
                fmt::format("no engine has worked on it yet, but in the data folder there is a "
                            "database of SQLite, {}: carry it over with `todoku migrate --from "
                            "sqlite:{} --to postgres`, put right store.kind or "
                            "store.postgres.address, or have a new store begun with --new if that "
                            "is meant",
                            database_path(config_).string(), config_.data.directory));
  }
  std::vector<std::string> signs;
  if (!contents.saved.empty()) signs.push_back("what a database held, " + contents.saved);
  if (contents.uploads > 0) signs.push_back(fmt::format("{} uploaded lists", contents.uploads));
  if (signs.empty()) return {};
  return fail(ErrorKind::not_found,
              fmt::format("no engine has worked on it yet, but in the data folder there is {}: put "
                          "right store.kind or store.postgres.address, or have a new store begun "
                          "with --new if that is meant",
                          fmt::join(signs, ", ")));
}

Result<std::unique_ptr<store::Store>> PostgresHouse::open(const Start& start) {
  if (auto usable = check_settings(); !usable) return fail(std::move(usable.error()));
  if (auto taken = take_folder(start); !taken) return fail(std::move(taken.error()));
  auto opened = open_patiently(start);
  if (!opened) return told(std::move(opened.error()));
  while (!start.begin_new) {
    auto none = nothing_of_old(**opened);
    if (none) break;
    if (!tries_again(start, none.error())) return told(std::move(none.error()));
  }
  return std::move(*opened);
}

Result<std::unique_ptr<store::Store>> PostgresHouse::open_for_tool(const Start& start) {
  begin_new_ = start.begin_new;  // the tables are there or not; who changes something may begin
  if (auto usable = check_settings(); !usable) return fail(std::move(usable.error()));
  auto opened = store::PostgresStore::open(options());
  if (!opened) return told(std::move(opened.error()));
  return std::move(*opened);
}

Result<std::vector<store::Node>> PostgresHouse::engines_elsewhere(store::Store& store) {
  auto nodes =
      store.read_and_wait([](store::ReadTransaction& transaction) { return transaction.nodes(); });
  if (!nodes) return fail(nodes.error());
  const auto id = data_folder_id(config_.data.directory, false);
  std::erase_if(*nodes, [&](const store::Node& node) {
    if (node.is_void || !store::lease_runs(node)) return true;
    // One of this folder that was killed: its lock is free, its lease still runs.
    return id && node.name == *id && store::sqlite::StoreLock::acquire(database_path(config_));
  });
  return std::move(*nodes);
}

// Engines hear of what a tool changes within seconds (change_watch.h), wherever they are. But a
// change may be the first thing in a database (the master key's check, for one), after which no
// start would ask whether it is the right one.
Result<void> PostgresHouse::may_change(store::Store& store) {
  if (begin_new_) return {};
  if (auto none = nothing_of_old(store); !none) return told(std::move(none.error()));
  return {};
}

Result<store::NewNode> PostgresHouse::node() const {
  const auto id = data_folder_id(config_.data.directory, true);
  if (!id) return fail(id.error());
  return store::NewNode{.name = *id,  // wherever the folder is mounted
                        .roles = {},
                        .version = {},
                        .succeeds = true,  // the folder's lock says that the one before is gone
                        .alone = !is_cluster(config_) &&
                                 (has_role(config_, "scheduler") || has_role(config_, "courier"))};
}

std::unique_ptr<intake::Uploads> PostgresHouse::uploads(
    store::Store& store, std::function<store::NodeKey()> node) const {
  return std::make_unique<intake::StoredUploads>(store, std::move(node));
}

Result<void> PostgresHouse::check_database() const {
  const auto opts = options();
  const auto check_value =
      store::postgres::peek_setting(opts.dial, kKeyCheckSetting, opts.must_keep);
  if (!check_value) return told(check_value.error());
  if (!*check_value) {
    auto none = nothing_in_folder();
    return none ? none : told(std::move(none.error()));
  }
  auto key = check_key_of_data(vault_options(config_), **check_value);
  if (!key) return key;
  auto names = check_names(config_, [&](std::string_view name) {
    return store::postgres::peek_setting(opts.dial, name, opts.must_keep);
  });
  return names ? names : told(std::move(names.error()));
}

std::vector<std::string> PostgresHouse::problems(const config::UnknownKeys& unknown) const {
  std::vector<std::string> problems;
  const auto note = [&](const Result<void>& found) {
    if (!found) problems.push_back(found.error().detail);
    return found.has_value();
  };
  if (unknown.spare({"data.directory"})) note(check_folder_rights(config_.data.directory));
  if (unknown.spare({"store", "secrets"}) && note(check_settings())) note(check_database());
  return problems;
}

// ---- migrating ---------------------------------------------------------------------------------

Result<cli::Schema> PostgresHouse::schema() {
  if (auto usable = check_settings(); !usable) return fail(std::move(usable.error()));
  store::postgres::Migration migration(options().dial);
  const auto steps = migration.status();
  if (!steps) return told(steps.error());
  cli::Schema schema{
      .kind = "postgres", .place = place(), .by_itself = false, .worked_on_by = 0, .steps = {}};
  for (const store::postgres::SchemaStep& step : *steps) {
    const bool contracts = step.kind == store::postgres::StepKind::contraction;
    schema.steps.push_back({step.number, std::string(step.name), step.taken, contracts});
  }
  // After `migrate up`: as far as it goes, or has gone.
  const auto known = store::postgres::schema();
  std::int64_t last = store::postgres::schema_steps_needed(known);
  while (last < std::ssize(*steps) && (*steps)[static_cast<std::size_t>(last)].taken) ++last;
  schema.worked_on_by = store::postgres::schema_worked_on_by(known, last);
  return schema;
}

Result<void> PostgresHouse::migrate(bool contract, std::chrono::seconds patience,
                                    const cli::MigrationBlocked& blocked) {
  if (auto usable = check_settings(); !usable) return usable;
  store::postgres::Migration migration(options().dial);
  const auto tell = [&](std::int64_t step, const std::vector<store::postgres::Blocker>& by) {
    std::vector<cli::SchemaBlocker> blockers;
    for (const auto& each : by) {
      blockers.push_back({each.pid, each.application, each.seconds, each.query});
    }
    blocked(step, blockers);
  };
  auto done =
      contract ? migration.contract(version(), patience, tell) : migration.up(patience, tell);
  if (!done) return told(std::move(done.error()));
  return {};
}

}  // namespace todoku::app
