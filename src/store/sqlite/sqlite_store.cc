// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "base/forward_clock.h"
#include "base/log.h"
#include "store/sqlite/address_indexer.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/group_writer.h"
#include "store/sqlite/read_ahead.h"
#include "store/sqlite/reader_pool.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/store_lock.h"
#include "store/sqlite/transactions.h"

namespace todoku::store {

using namespace sqlite;  // NOLINT(google-build-using-namespace): its own parts

namespace {

// A full check of a larger file would keep the engine from starting for too long.
constexpr std::uintmax_t kCheckedFileMax = 32U << 20U;

constexpr std::int64_t kPageOctets = 4'096;
// What is looked at ahead is for the system's cache: this one only keeps the upper pages of trees.
constexpr int kAheadCacheKib = 256;

std::string_view word(SqliteStore::Synchronous synchronous) {
  switch (synchronous) {
    case SqliteStore::Synchronous::full:
      return "FULL";
    case SqliteStore::Synchronous::normal:
      return "NORMAL";
    case SqliteStore::Synchronous::off:
      return "OFF";
  }
  return "FULL";
}

Result<std::unique_ptr<Connection>> connect(const SqliteStore::Options& options, int cache_kib,
                                            bool create) {
  return Connection::open({.path = options.path.string(),
                           .vfs = options.vfs,
                           .create = create,
                           .cache_kib = cache_kib,
                           .synchronous = word(options.synchronous),
                           .log_octets_max = options.log_pages_max * kPageOctets});
}

Result<std::vector<std::unique_ptr<Connection>>> connect_all(const SqliteStore::Options& options,
                                                             int cache_kib, std::size_t count) {
  std::vector<std::unique_ptr<Connection>> connections;
  while (connections.size() < count) {
    auto connection = connect(options, cache_kib, false);
    if (!connection) return fail(std::move(connection.error()));
    connections.push_back(std::move(*connection));
  }
  return connections;
}

Result<StoreLock> acquire(const SqliteStore::Options& options) {
  constexpr Milliseconds kBetween{20};
  Milliseconds waited{0};
  while (true) {
    auto lock = StoreLock::acquire(options.path);
    if (lock || lock.error().kind != ErrorKind::conflict || waited >= options.lock_wait) {
      return lock;
    }
    std::this_thread::sleep_for(kBetween);
    waited += kBetween;
  }
}

// A log that is large beside its disk would keep the room that somebody makes on it.
void fit_log_to_disk(SqliteStore::Options& options) {
  constexpr std::int64_t kShare = 16;
  constexpr std::int64_t kPagesLeast = 256;
  std::error_code error;
  const auto space = std::filesystem::space(options.path.parent_path(), error);
  if (error) return;
  const auto pages = static_cast<std::int64_t>(space.capacity / kPageOctets) / kShare;
  options.log_pages_max = std::min(options.log_pages_max, std::max(pages, kPagesLeast));
  options.checkpoint_pages =
      std::min(options.checkpoint_pages, std::max<std::int64_t>(options.log_pages_max / 4, 1));
}

std::unexpected<Error> nothing_there(const std::filesystem::path& path, std::string_view state) {
  return fail(ErrorKind::not_found, fmt::format("the database {} {}", path.string(), state));
}

// What SQLite would make a database of, or wait for.
Result<void> check_kind(const SqliteStore::Options& options) {
  std::error_code error;
  const auto status = std::filesystem::status(options.path, error);
  if (!std::filesystem::exists(status)) {
    return options.may_begin ? Result<void>() : nothing_there(options.path, "is missing");
  }
  if (!std::filesystem::is_regular_file(status)) {
    return fail(ErrorKind::corrupt,
                fmt::format("{} is no file: the database belongs there", options.path.string()));
  }
  if (!options.may_begin && std::filesystem::file_size(options.path, error) == 0) {
    return nothing_there(options.path, "is empty");
  }
  return {};
}

Result<void> check_content(Connection& db, const SqliteStore::Options& options) {
  if (options.may_begin) return {};
  const auto changes = db.integer("PRAGMA schema_version");  // 0: nothing was ever made in it
  if (!changes) return fail(changes.error());
  return *changes > 0 ? Result<void>() : nothing_there(options.path, "has no content");
}

// What an earlier run left in the log goes into the database before anything is written: on a full
// disk the log cannot grow, and may hold the very room that was made for it. Without success the
// store can be read, perhaps even written.
void take_in_log(Connection& db, const std::filesystem::path& path) {
  const int code =
      sqlite3_wal_checkpoint_v2(db.raw(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return;  // or somebody is reading it
  std::error_code ignored;
  const auto octets = std::filesystem::file_size(path.string() + "-wal", ignored);
  log::warning("the log of the database was not taken in: on a full disk, make room for it",
               {{"error", sqlite3_errmsg(db.raw())}, {"room_bytes_at_most", ignored ? 0 : octets}});
}

Result<void> check_file(Connection& db, const std::filesystem::path& path) {
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  if (ignored || size > kCheckedFileMax) return {};
  auto query = db.query("PRAGMA quick_check(1)");
  if (query.next() && query.text(0) != "ok") {
    return fail(ErrorKind::corrupt,
                fmt::format("the database {} is damaged ({}); restore it from a backup, or save "
                            "what can be read with `sqlite3 FILE .recover`",
                            path.string(), query.text(0)));
  }
  if (query.failed()) return fail(query.error());
  return {};
}

Result<std::unique_ptr<Connection>> open_writer(const SqliteStore::Options& options,
                                                StoreLock& lock) {
  if (auto there = check_kind(options); !there) return fail(std::move(there.error()));
  if (auto taken = lock.take_file(options.may_begin); !taken) return fail(std::move(taken.error()));
  auto db = connect(options, options.writer_cache_kib, options.may_begin);
  if (!db) return db;
  {
    auto mode = (*db)->query("PRAGMA journal_mode=WAL");
    const bool answered = mode.next();
    if (mode.failed()) return fail(mode.error());
    if (!answered || mode.text(0) != "wal") {
      return fail(ErrorKind::io,
                  fmt::format("the file system of {} does not allow a write-ahead log",
                              options.path.string()));
    }
  }
  auto ready = check_file(**db, options.path);
  if (ready) ready = check_content(**db, options);
  if (ready) take_in_log(**db, options.path);
  if (ready) ready = prepare_schema(**db);
  if (!ready) return fail(std::move(ready.error()));
  lock.take_log();
  return db;
}

// The database has lost its name: what still leads to its content must not go with this process.
void keep_what_was_removed(const StoreLock& lock, Connection& db, const Error& error) {
  log::error("the store is closed without its place", {{"error", error.detail}});
  // SQLite removes the log by its name, which may be another engine's by now.
  int keep = 1;
  sqlite3_file_control(db.raw(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  const auto saved = lock.rescue();
  if (!saved) {
    log::error("the content of the removed database is lost", {{"error", saved.error().detail}});
  } else if (*saved) {
    log::warning("the content of the removed database was saved",
                 {{"file", (*saved)->string()}, {"move_it_to", "where the database was"}});
  }
}

}  // namespace

struct SqliteStore::Parts {
  Parts(StoreLock taken, std::unique_ptr<Connection> db, AddressHash hash, const Clock& machine)
      : lock(std::move(taken)),
        clock(machine),
        writer_db(std::move(db)),
        transaction(*writer_db, live, hash) {}

  std::optional<StoreLock> lock;
  ForwardClock clock;
  LiveFigures live;
  std::unique_ptr<Connection> writer_db;
  SqliteWriteTransaction transaction;
  std::optional<Checkpointer> checkpointer;
  std::optional<GroupWriter> writer;
  std::optional<ReadAhead> ahead;
  std::optional<ReaderPool> readers;
  std::optional<IndexerThread> indexer;
  LogCapture* capture = nullptr;
  std::once_flag closed;

  // A change by the writer thread, waited for.
  Result<void> change(AddressIndexer::Change change) {
    std::promise<Result<void>> promise;
    auto future = promise.get_future();
    writer->submit(
        WritePriority::retention,
        [&](WriteTransaction&) { return change(transaction.connection()); },
        [&](Result<void> result) { promise.set_value(std::move(result)); });
    return future.get();
  }
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const Options& given) {
  check(given.clock != nullptr, "a store needs a clock");
  Options options = given;
  fit_log_to_disk(options);
  auto lock = acquire(options);
  if (!lock) return fail(std::move(lock.error()));
  auto writer = open_writer(options, *lock);
  if (!writer) return fail(std::move(writer.error()));
  const auto hash = load_address_hash(**writer);
  if (!hash) return fail(hash.error());
  auto parts = std::make_unique<Parts>(std::move(*lock), std::move(*writer), *hash, *options.clock);
  auto loaded = parts->transaction.load_figures();
  if (!loaded) return fail(std::move(loaded.error()));

  auto worker = connect(options, 64, false);
  if (!worker) return fail(std::move(worker.error()));
  auto pin = connect(options, 64, false);
  if (!pin) return fail(std::move(pin.error()));
  auto index_reader = connect(options, 1024, false);
  if (!index_reader) return fail(std::move(index_reader.error()));
  auto readers =
      connect_all(options, options.reader_cache_kib, std::max<std::size_t>(options.readers, 1));
  if (!readers) return fail(std::move(readers.error()));
  auto ahead = connect_all(options, kAheadCacheKib, options.looking_ahead);
  if (!ahead) return fail(std::move(ahead.error()));
  parts->checkpointer.emplace(std::move(*worker), std::move(*pin),
                              Checkpointer::Limits{.frames_wanted = options.checkpoint_pages,
                                                   .frames_max = options.log_pages_max},
                              *options.clock);
  parts->writer.emplace(*parts->lock, parts->transaction, *parts->checkpointer, parts->clock,
                        Admission::Limits{options.queued_max, options.accept_octets_max},
                        options.capture);
  parts->capture = options.capture;
  parts->ahead.emplace(std::move(*ahead), parts->live, *hash, parts->clock);
  parts->readers.emplace(std::move(*readers), parts->live, *hash, parts->clock,
                         ReaderPool::Limits{options.questions_max, options.question_max});
  parts->indexer.emplace(
      std::move(*index_reader), *hash,
      [p = parts.get()](AddressIndexer::Change change) { return p->change(std::move(change)); },
      parts->transaction.addresses_written(), parts->live.stops,
      AddressIndexer::Limits{.run_entries_min = options.unindexed_max,
                             .run_entries_max = options.unindexed_max * 4},
      *options.clock);
  parts->live.stops.begin(StopFilter::kEntriesLeast);
  parts->checkpointer->start();
  parts->writer->start();
  parts->ahead->start();
  parts->readers->start(options.looking_ahead > 0 ? &*parts->ahead : nullptr);
  parts->indexer->start();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
}

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SqliteStore::~SqliteStore() {
  close();
}

void SqliteStore::submit_write(WritePriority priority, WriteWork work, Done done) {
  parts_->writer->submit(priority, std::move(work), std::move(done));
}

void SqliteStore::submit(Accept accept, Answered<Accept> done) {
  parts_->writer->submit(WritePriority::accept, std::move(accept), std::move(done));
}

void SqliteStore::submit(Settle settle, Answered<Settle> done) {
  parts_->writer->submit(WritePriority::outcomes, std::move(settle), std::move(done));
}

void SqliteStore::submit(Claim claim, Answered<Claim> done) {
  parts_->writer->submit(WritePriority::claims, std::move(claim), std::move(done));
}

void SqliteStore::submit(StageRows stage, Answered<StageRows> done) {
  parts_->writer->submit(WritePriority::import, std::move(stage), std::move(done));
}

void SqliteStore::submit(Due due, Answered<Due> done) {
  auto found = std::make_shared<DueDomains>();
  parts_->readers->submit(
      [due = std::move(due), found](SqliteReadTransaction& reader) -> Result<void> {
        auto answer = reader.due(due);
        if (!answer) return fail(std::move(answer.error()));
        *found = std::move(*answer);
        return {};
      },
      [found, done = std::move(done)](Result<void> result) mutable {
        if (!result) {
          done(fail(std::move(result.error())));
        } else {
          done(std::move(*found));
        }
      });
}

void SqliteStore::submit(BellWork work, Answered<BellWork> done) {
  auto heard = std::make_shared<BellsHeard>();
  parts_->writer->submit(
      WritePriority::claims,
      [this, work = std::move(work), heard](WriteTransaction&) -> Result<void> {
        auto answer = parts_->transaction.perform(work);
        if (!answer) return fail(std::move(answer.error()));
        *heard = std::move(*answer);
        return {};
      },
      [heard, done = std::move(done)](Result<void> result) mutable {
        if (!result) {
          done(fail(std::move(result.error())));
        } else {
          done(std::move(*heard));
        }
      });
}

void SqliteStore::submit_read(ReadWork work, Done done) {
  parts_->readers->submit(
      [work = std::move(work)](SqliteReadTransaction& reader) mutable { return work(reader); },
      std::move(done));
}

StoreFigures SqliteStore::figures() const {
  return parts_->writer->figures();
}

const Clock& SqliteStore::clock() const {
  return parts_->clock;
}

void SqliteStore::close() {
  std::call_once(parts_->closed, [&] {
    parts_->indexer.reset();
    parts_->writer->stop();
    parts_->readers->stop();
    parts_->ahead->stop();
    parts_->checkpointer->stop();
    // No other thread is left: the writer's connection may do everything.
    Connection& db = *parts_->writer_db;
    auto stored = db.execute("BEGIN IMMEDIATE");
    if (stored) stored = parts_->transaction.counters().store_exactly();
    if (stored) stored = db.execute("COMMIT");
    if (!stored && db.in_transaction()) (void)db.execute("ROLLBACK");
    if (parts_->capture != nullptr) {
      int frames = 0;
      const int looked =
          sqlite3_wal_checkpoint_v2(db.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, nullptr);
      if (looked == SQLITE_OK) parts_->capture->committed(frames, parts_->clock.now());
    }
    const int code =
        sqlite3_wal_checkpoint_v2(db.raw(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (!stored || code != SQLITE_OK) {
      log::warning("the store was closed without tidying up",
                   {{"error", sqlite3_errmsg(db.raw())}});
    }
    if (const auto there = parts_->lock->in_place(); !there) {
      keep_what_was_removed(*parts_->lock, db, there.error());
    }
    parts_->writer_db.reset();
    parts_->lock.reset();
  });
}

}  // namespace todoku::store
