// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/connection.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/line_budget.h"
#include "base/log.h"
#include "base/percent.h"

namespace todoku::store::sqlite {

namespace {

// What a result code means.
Error meaning_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorKind::unavailable, "the disk of the data directory is full"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::unavailable, "the database is in use by another program"};
    case SQLITE_INTERRUPT:
      return {ErrorKind::unavailable,
              "the question was given up, because a long one keeps the write-ahead log growing; "
              "ask for less at once"};
    case SQLITE_NOMEM:
      return {ErrorKind::unavailable, "out of memory"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorKind::corrupt,
              "the database file is damaged; stop the engine and restore it from a backup, or "
              "save what can be read with `sqlite3 FILE .recover`"};
    case SQLITE_TOOBIG:
      return {ErrorKind::invalid_input, "a value is too large to be stored"};
    case SQLITE_IOERR:
      // The shared-memory file of the WAL cannot grow: in practice a full disk.
      if (code == SQLITE_IOERR_SHMSIZE) {
        return {ErrorKind::unavailable, "the disk of the data directory is full"};
      }
      return {ErrorKind::io, "the operating system refused"};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return {ErrorKind::io, "the data directory cannot be written"};
    default:
      return {ErrorKind::io, "the database refused"};
  }
}

// The statement, and SQLite's words, are for the log, where few of them do: a disk that is full
// says the same all the time. Who asked the store reads a sentence of ours.
Error statement_error(int code, std::string_view message, std::string_view statement) {
  constexpr std::size_t kShown = 60;
  static LineBudget lines(10, std::chrono::minutes(1));
  if (const auto left_out = lines.take(SystemClock().steady_now())) {
    log::warning("the database failed", {{"words", message},
                                         {"code", code},
                                         {"statement", statement.substr(0, kShown)},
                                         {"lines_left_out", *left_out}});
  }
  return meaning_of(code);
}

}  // namespace

Error sqlite_error(int code, std::string_view message, std::string_view doing) {
  Error error = meaning_of(code);
  error.detail = fmt::format("{}: {} ({}, code {})", doing, error.detail, message, code);
  return error;
}

Query::~Query() {
  if (statement_ == nullptr) return;
  if (owned_) {
    sqlite3_finalize(statement_);
    return;
  }
  reset();
}

bool Query::next() {
  if (code_ != SQLITE_OK) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) code_ = code;
  return false;
}

Result<void> Query::run() {
  while (next()) {
  }
  if (failed()) return fail(error());
  reset();
  return {};
}

void Query::reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
}

Error Query::error() const {
  const char* sql = statement_ == nullptr ? nullptr : sqlite3_sql(statement_);
  const std::string_view doing = sql == nullptr ? "preparing a statement" : sql;
  const int extended = sqlite3_extended_errcode(db_);
  const int code = (extended & 0xff) == (code_ & 0xff) ? extended : code_;
  return statement_error(code, sqlite3_errmsg(db_), doing);
}

std::string_view Query::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

namespace {

int flags_of(const Connection::Options& options) {
  const int writes = SQLITE_OPEN_READWRITE | (options.create ? SQLITE_OPEN_CREATE : 0);
  const int access = options.access == Connection::Access::writes
                         ? writes
                         : SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  return access | SQLITE_OPEN_NOMUTEX;
}

std::string name_of(const Connection::Options& options) {
  if (options.access == Connection::Access::writes) return options.path;
  std::string name = "file:";
  for (const char c : options.path) {
    if (c == '%' || c == '?' || c == '#') {
      append_percent_encoded(name, c);
    } else {
      name += c;
    }
  }
  return name + (options.access == Connection::Access::as_it_lies ? "?immutable=1" : "");
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
  // Counting every allocation would make all threads wait for one mutex. Refused, without harm, if
  // somebody has used SQLite in this process before.
  static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)configured;
  sqlite3* db = nullptr;
  // No mutex of SQLite's own: one thread at a time is our rule.
  const int code = sqlite3_open_v2(name_of(options).c_str(), &db, flags_of(options),
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (db == nullptr) return fail(ErrorKind::unavailable, "out of memory for the database");
  std::unique_ptr<Connection> connection(new Connection(db));
  if (code != SQLITE_OK) {
    return fail(sqlite_error(sqlite3_extended_errcode(db), sqlite3_errmsg(db),
                             fmt::format("opening {}", options.path)));
  }
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, 5000);
  // Checkpoints have their own thread. Freed pages need not be overwritten at the cost of I/O, as
  // Debian's build would. Statement journals and sorters stay in memory.
  const std::string pragmas = fmt::format(
      "PRAGMA synchronous={}; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-{};"
      "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=FAST; PRAGMA mmap_size=0;"
      "PRAGMA foreign_keys=OFF; PRAGMA trusted_schema=OFF; PRAGMA journal_size_limit={};",
      options.synchronous, options.cache_kib, options.log_octets_max);
  auto done = connection->execute(pragmas.c_str());
  if (!done) return fail(fmt::format("opening {}", options.path), std::move(done.error()));
  return connection;
}

Connection::~Connection() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

Result<void> Connection::execute(const char* statements) {
  const int code = sqlite3_exec(db_, statements, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return fail(statement_error(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_), statements));
  }
  return {};
}

Query Connection::query(Sql sql) {
  const auto [place, fresh] = statements_.try_emplace(sql.text, nullptr);
  // In use further up the call stack: this use gets a statement of its own.
  const bool busy = !fresh && place->second != nullptr && sqlite3_stmt_busy(place->second) != 0;
  if (place->second != nullptr && !busy) return {db_, place->second, false, SQLITE_OK};
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(db_, sql.text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (!busy) place->second = statement;
  return {db_, statement, busy, code};
}

Result<std::string> Connection::part_of_blob(const BlobPlace& place, std::uint64_t offset,
                                             std::size_t octets) {
  sqlite3_blob* opened = nullptr;
  int code = sqlite3_blob_open(db_, "main", place.table, place.column, place.row, 0, &opened);
  const std::unique_ptr<sqlite3_blob, decltype(&sqlite3_blob_close)> blob(opened,
                                                                          &sqlite3_blob_close);
  std::string part;
  if (code == SQLITE_OK) {
    const auto size = static_cast<std::uint64_t>(sqlite3_blob_bytes(blob.get()));
    if (offset > size || octets > size - offset) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("{}.{} has {} octets", place.table, place.column, size));
    }
    part.resize(octets);
    code = sqlite3_blob_read(blob.get(), part.data(), static_cast<int>(octets),
                             static_cast<int>(offset));
  }
  if (code == SQLITE_OK) return part;
  return fail(statement_error(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_),
                              fmt::format("reading {}.{}", place.table, place.column)));
}

Result<std::int64_t> Connection::integer(Sql sql) {
  auto row = query(sql);
  std::int64_t value = 0;
  if (row.next()) value = row.integer(0);
  if (row.failed()) return fail(row.error());
  return value;
}

}  // namespace todoku::store::sqlite
