// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/schema.h"

#include <array>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/log.h"
#include "store/sqlite/schema_versions.h"

namespace todoku::store::sqlite {
namespace {

// Migration n leads from version n to n + 1; version 0 is the empty file.
constexpr std::array<const char*, 46> kMigrations{
    kVersion1,  kVersion2,  kVersion3,  kVersion4,  kVersion5,  kVersion6,  kVersion7,  kVersion8,
    kVersion9,  kVersion10, kVersion11, kVersion12, kVersion13, kVersion14, kVersion15, kVersion16,
    kVersion17, kVersion18, kVersion19, kVersion20, kVersion21, kVersion22, kVersion23, kVersion24,
    kVersion25, kVersion26, kVersion27, kVersion28, kVersion29, kVersion30, kVersion31, kVersion32,
    kVersion33, kVersion34, kVersion35, kVersion36, kVersion37, kVersion38, kVersion39, kVersion40,
    kVersion41, kVersion42, kVersion43, kVersion44, kVersion45, kVersion46};

Result<void> migrate(Connection& db, std::int64_t from) {
  auto done = db.execute("BEGIN IMMEDIATE");
  if (!done) return done;
  done = db.execute(kMigrations[static_cast<std::size_t>(from)]);
  if (done && from == 0) {
    const std::string secret = random_octets(16);
    auto put = db.query(
        "INSERT INTO meta(name, value)"
        " VALUES('address_secret', ?), ('address_indexed', 0), ('next_number', 1)");
    done = put.bind(Blob{secret}).run();
  }
  if (done) {
    done = db.execute(fmt::format("PRAGMA user_version={}; PRAGMA application_id={}; COMMIT",
                                  from + 1, kApplicationId)
                          .c_str());
  }
  if (!done && db.in_transaction()) (void)db.execute("ROLLBACK");
  return done;
}

}  // namespace

std::int64_t schema_version() {
  return static_cast<std::int64_t>(kMigrations.size());
}

Result<std::int64_t> version_of(Connection& db) {
  const auto application = db.integer("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = db.integer("PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto tables = db.integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(tables.error());

  const bool empty = *application == 0 && *version == 0 && *tables == 0;
  if (!empty && *application != kApplicationId) {
    return fail(ErrorKind::corrupt,
                "the database file belongs to another program; give todoku a data directory of "
                "its own");
  }
  if (*version > schema_version()) {
    return fail(ErrorKind::unsupported,
                fmt::format("the database has schema version {} and this program knows up to {}; "
                            "start the newer todoku that wrote it, or restore a backup of before",
                            *version, schema_version()));
  }
  if (*version < 0 || (*version == 0 && !empty)) {
    return fail(ErrorKind::corrupt, "the database has no valid schema version; restore a backup");
  }
  return *version;
}

Result<void> prepare_schema(Connection& db) {
  const auto version = version_of(db);
  if (!version) return fail(version.error());
  for (std::int64_t from = *version; from < schema_version(); ++from) {
    auto done = migrate(db, from);
    if (!done) return fail("preparing the database", std::move(done.error()));
    if (*version > 0) log::info("store migrated", {{"from", from}, {"to", from + 1}});
  }
  return {};
}

}  // namespace todoku::store::sqlite
