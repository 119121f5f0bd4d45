// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/peek.h"

#include <fmt/format.h>

#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"

namespace todoku::store::sqlite {

Result<std::optional<std::string>> peek_setting(const std::filesystem::path& database,
                                                std::string_view name) {
  std::error_code error;
  if (std::filesystem::exists(database, error) &&
      !std::filesystem::is_regular_file(database, error)) {
    return fail(ErrorKind::corrupt,
                fmt::format("{} is no file: the database belongs there", database.string()));
  }
  // Without a log the file is all there is, and SQLite would make files beside it to find that out.
  const auto log = std::filesystem::file_size(database.string() + "-wal", error);
  const bool rests = error || log == 0;
  auto db = Connection::open(
      {.path = database.string(),
       .access = rests ? Connection::Access::as_it_lies : Connection::Access::reads});
  if (!db) return fail(std::move(db.error()));
  const auto version = version_of(**db);
  if (!version) return fail(version.error());
  if (*version == 0) {
    return fail(ErrorKind::not_found,
                fmt::format("the database {} has no content", database.string()));
  }
  auto query = (*db)->query("SELECT value FROM settings WHERE name = ?");
  query.bind(name);
  std::optional<std::string> value;
  if (query.next()) value = query.blob(0);
  if (query.failed()) return fail(query.error());
  return value;
}

}  // namespace todoku::store::sqlite
