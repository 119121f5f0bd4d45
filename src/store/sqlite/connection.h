// SPDX-License-Identifier: Apache-2.0
// One connection to the database file and its prepared statements. A connection and everything made
// from it belong to one thread at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::store::sqlite {

// The text of a statement: a literal, because statements are cached by its address.
struct Sql {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is meant to be written where it is used.
  consteval Sql(const char* literal) : text(literal) {}
  const char* text;
};

// A blob parameter; a plain string_view is bound as text.
struct Blob {
  std::string_view octets;
};

// A prepared statement borrowed from its connection for one use; given back, reset, on destruction.
//
//   auto query = db.query("SELECT name FROM accounts WHERE key = ?");
//   query.bind(key);
//   while (query.next()) names.emplace_back(query.text(0));
//   if (query.failed()) return fail(query.error());
class Query {
 public:
  Query(sqlite3* db, sqlite3_stmt* statement, bool owned, int code)
      : db_(db), statement_(statement), owned_(owned), code_(code) {}
  ~Query();
  Query(Query&& other) noexcept
      : db_(other.db_),
        statement_(std::exchange(other.statement_, nullptr)),
        owned_(other.owned_),
        code_(other.code_) {}
  Query& operator=(Query&&) = delete;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Binds all parameters, from the first. Texts and blobs are not copied: they must live until the
  // query is reset or gone.
  template <class... Values>
  Query& bind(const Values&... values) {
    int index = 0;
    (bind_at(++index, values), ...);
    return *this;
  }

  // Advances to the next row. False at the end or on failure: ask failed().
  [[nodiscard]] bool next();
  // Runs a statement that yields no rows.
  [[nodiscard]] Result<void> run();
  // Makes the statement ready to be bound and run again.
  void reset();

  [[nodiscard]] bool failed() const { return code_ != SQLITE_OK; }
  // In our words, fit for whoever asked; what SQLite says goes to the log.
  [[nodiscard]] Error error() const;

  // Columns of the current row. Views are valid until the next step or reset.
  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] bool flag(int column) const { return integer(column) != 0; }
  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] Instant instant(int column) const { return from_epoch_ms(integer(column)); }
  [[nodiscard]] std::optional<Instant> optional_instant(int column) const {
    if (is_null(column)) return std::nullopt;
    return instant(column);
  }

 private:
  template <std::integral T>
  void bind_at(int index, T value) {
    note(sqlite3_bind_int64(statement_, index, static_cast<std::int64_t>(value)));
  }
  template <class T>
    requires std::is_enum_v<T>
  void bind_at(int index, T value) {
    bind_at(index, static_cast<std::int64_t>(value));
  }
  void bind_at(int index, std::string_view value) {
    // A null pointer would bind NULL.
    note(sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(),
                             value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_at(int index, Blob value) {
    note(sqlite3_bind_blob64(statement_, index,
                             value.octets.data() == nullptr ? "" : value.octets.data(),
                             value.octets.size(), SQLITE_STATIC));
  }
  void bind_at(int index, Instant value) { bind_at(index, to_epoch_ms(value)); }
  void bind_at(int index, std::nullptr_t) { note(sqlite3_bind_null(statement_, index)); }
  template <class T>
  void bind_at(int index, const std::optional<T>& value) {
    if (value) {
      bind_at(index, *value);
    } else {
      bind_at(index, nullptr);
    }
  }
  void note(int code) {
    if (code != SQLITE_OK && code_ == SQLITE_OK) code_ = code;
  }

  sqlite3* db_;
  sqlite3_stmt* statement_;
  bool owned_;
  int code_;
};

// Translates a result code of SQLite into our kinds; `doing` says what failed. With SQLite's words,
// for who operates it.
[[nodiscard]] Error sqlite_error(int code, std::string_view message, std::string_view doing);

class Connection {
 public:
  enum class Access : std::uint8_t {
    writes,
    reads,
    as_it_lies,  // without locks and without a log: for a file that nobody has open
  };
  struct Options {
    std::string path;
    std::string vfs;  // empty: the default
    Access access = Access::writes;
    bool create = false;  // for Access::writes
    int cache_kib = 2048;
    // "FULL", "NORMAL" or "OFF".
    std::string_view synchronous = "FULL";
    // What the write-ahead log is cut down to when it begins anew.
    std::int64_t log_octets_max = 64 << 20;
  };
  // Errors: corrupt (not a database), io, unavailable. Does not read the file before the first
  // statement.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs statements without parameters, given as text that is not cached.
  [[nodiscard]] Result<void> execute(const char* statements);
  // Borrows the cached statement. A failure to prepare it shows when the query is run.
  [[nodiscard]] Query query(Sql sql);
  // The single integer that `sql` yields; 0 if it yields none or NULL.
  [[nodiscard]] Result<std::int64_t> integer(Sql sql);

  struct BlobPlace {
    const char* table;
    const char* column;
    std::int64_t row;
  };
  // Octets of a value, of which neither the rest is read nor memory taken for it, as a statement
  // would. Errors also: invalid_input (it has not so many).
  [[nodiscard]] Result<std::string> part_of_blob(const BlobPlace& place, std::uint64_t offset,
                                                 std::size_t octets);

  [[nodiscard]] std::int64_t changes() const { return sqlite3_changes64(db_); }
  [[nodiscard]] std::int64_t total_changes() const { return sqlite3_total_changes64(db_); }
  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  [[nodiscard]] sqlite3* raw() { return db_; }

 private:
  explicit Connection(sqlite3* db) : db_(db) {}

  sqlite3* db_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace todoku::store::sqlite
