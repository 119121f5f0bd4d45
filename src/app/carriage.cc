// SPDX-License-Identifier: Apache-2.0
// A store that is carried over (`todoku migrate --from`): the SQLite store of an engine that is
// stopped, into the PostgreSQL database of the configuration.
//
// The master key is the old store's, because what it seals is carried as it is. Archives of what
// was wrong with lists lie in the old data folder, and come into the database.
#include <filesystem>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "app/data_folder.h"
#include "app/module_options.h"
#include "app/postgres_house.h"
#include "app/vault.h"
#include "base/clock.h"
#include "base/log.h"
#include "intake/stored_uploads.h"
#include "intake/uploads.h"
#include "store/carry.h"
#include "store/postgres/carry_target.h"
#include "store/postgres/postgres_store.h"
#include "store/sqlite/carry_source.h"

namespace todoku::app {
namespace {

constexpr std::string_view kSqliteScheme = "sqlite:";
constexpr Milliseconds kCarriedLockWait{3'000};
constexpr std::chrono::seconds kToldEvery(5);

// The database that "sqlite:PATH" means.
Result<std::filesystem::path> carried_database(std::string_view from) {
  if (!from.starts_with(kSqliteScheme) || from.size() == kSqliteScheme.size()) {
    return fail(ErrorKind::invalid_input,
                fmt::format("--from is \"{}\", but must be sqlite: and the data folder or the "
                            "database file",
                            from));
  }
  std::filesystem::path path(from.substr(kSqliteScheme.size()));
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) path /= "todoku.db";
  return path;
}

Result<void> copy_file_of(intake::Uploads& from, intake::Uploads& to, const std::string& name) {
  constexpr std::size_t kAtOnce = std::size_t{256} << 10U;
  auto reader = from.open(name);
  if (!reader && reader.error().kind == ErrorKind::not_found) {
    log::warning("what was wrong with a list is not there any more", {{"file", name}});
    return {};
  }
  if (!reader) return fail(std::move(reader.error()));
  auto writer = to.create(name);
  if (!writer) return fail(std::move(writer.error()));
  std::vector<char> piece(kAtOnce);
  while (true) {
    const auto octets = (*reader)->read(piece);
    if (!octets) return fail(octets.error());
    if (*octets == 0) return (*writer)->keep();
    auto written = (*writer)->write({piece.data(), *octets});
    if (!written) return written;
  }
}

// Once their jobs are there. All else is carried then: what cannot be read is told of and left.
void copy_error_files(const std::vector<std::string>& names, const std::filesystem::path& from,
                      store::Store& to) {
  intake::FolderUploads old_folder(from);
  intake::StoredUploads uploads(to, [] { return store::kNobody; });
  for (const std::string& name : names) {
    const auto copied = copy_file_of(old_folder, uploads, name);
    if (copied) continue;
    log::warning("what was wrong with a list is not carried over",
                 {{"file", name}, {"reason", copied.error().detail}});
  }
}

}  // namespace

Result<void> PostgresHouse::same_master_key(store::Store& source) const {
  const auto check_value = source.read_and_wait(
      [](store::ReadTransaction& transaction) { return transaction.setting(kKeyCheckSetting); });
  if (!check_value) return fail(check_value.error());
  if (!*check_value) {
    return fail(ErrorKind::not_found, "no engine has worked on the old store: nothing is in it");
  }
  const VaultOptions vault = vault_options(config_);
  if (auto readable = check_key(vault); !readable) return readable;
  return check_key_of_data(vault, **check_value);
}

Result<cli::Carriage> PostgresHouse::carry_in(const std::string& from,
                                              const cli::CarriageTold& told_of) {
  const SystemClock machine;
  const SteadyInstant began = machine.steady_now();
  if (auto usable = check_settings(); !usable) return fail(std::move(usable.error()));
  const auto database = carried_database(from);
  if (!database) return fail(database.error());
  std::error_code error;
  const std::filesystem::path old_folder =
      std::filesystem::absolute(*database, error).parent_path();
  const bool same_folder =
      std::filesystem::equivalent(old_folder, config_.data.directory, error) && !error;
  auto source = store::SqliteCarrySource::open(
      {.path = *database, .clock = &machine, .lock_wait = kCarriedLockWait, .to = place()});
  if (!source) return fail("the old store", std::move(source.error()));
  auto ready = same_master_key((*source)->store());
  if (!ready) return fail(std::move(ready.error()));
  const auto opts = options();
  auto target = store::postgres::CarryTarget::open(opts.dial, opts.must_keep);
  if (!target) return told(std::move(target.error()));
  if (!same_folder) {
    if (auto taken = take_folder(
            {.begin_new = true, .ready = [] { return Result<void>(); }, .given_up = {}});
        !taken) {
      return fail(std::move(taken.error()));
    }
  }
  const auto error_files = (*source)->error_files();
  if (!error_files) return fail(error_files.error());
  SteadyInstant last = began;
  const auto carried = store::carry_store(**source, **target, [&](const store::CarryStep& step) {
    if (machine.steady_now() - last < kToldEvery) return;
    last = machine.steady_now();
    told_of(step.table, step.rows, step.comparing);
  });
  if (!carried) return told(carried.error());
  if (!error_files->empty()) {
    auto store = store::PostgresStore::open(opts);
    if (!store) return told(std::move(store.error()));
    copy_error_files(*error_files, old_folder, **store);
    (*store)->close();
  }
  cli::Carriage carriage{
      .from = database->string(),
      .to = place(),
      .took = std::chrono::duration_cast<Milliseconds>(machine.steady_now() - began),
      .tables = {}};
  for (const store::Carried& table : *carried) {
    carriage.tables.push_back({table.table, table.stored.rows(), table.stored.hex()});
  }
  return carriage;
}

}  // namespace todoku::app
