// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/address_indexer.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <optional>
#include <utility>

#include "base/caught.h"
#include "base/trouble.h"
#include "store/records.h"
#include "store/sqlite/keys.h"

namespace todoku::store::sqlite {
namespace {

// Runs are merged with runs of their size; the largest are left alone.
constexpr int kLevels = 4;

Result<void> insert_chunk(Connection& db, std::int64_t run, std::int64_t index,
                          std::string_view entries) {
  return db.query("INSERT INTO address_chunks(id, entries) VALUES(?, ?)")
      .bind(run << kChunkBits | index, Blob{entries})
      .run();
}

Result<void> insert_run(Connection& db, std::int64_t state, std::int64_t entries,
                        std::int64_t chunks, std::int64_t last_recipient) {
  return db
      .query(
          "INSERT INTO address_runs(level, state, entries, chunks, last_recipient)"
          " VALUES(0, ?, ?, ?, ?)")
      .bind(state, entries, chunks, last_recipient)
      .run();
}

// Cuts sorted entries into chunks.
std::vector<std::string> chunked(const std::vector<AddressEntry>& entries) {
  std::vector<std::string> chunks;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i % static_cast<std::size_t>(kChunkEntries) == 0) {
      chunks.emplace_back().reserve(static_cast<std::size_t>(kChunkEntries) * kEntryOctets);
    }
    put_entry(chunks.back(), entries[i]);
  }
  return chunks;
}

}  // namespace

// Reads several runs as one sorted sequence. They do not change while they are live.
class AddressIndexer::Merge {
 public:
  Merge(Connection& db, const std::vector<Run>& runs) : db_(db) {
    for (const Run& run : runs) sources_.push_back({run, 0, 0, {}});
  }

  // The next entry in order, without repeats; false at the end.
  [[nodiscard]] Result<bool> next(AddressEntry& entry) {
    for (;;) {
      Source* least = nullptr;
      AddressEntry candidate;
      for (Source& source : sources_) {
        auto filled = fill(source);
        if (!filled) return fail(std::move(filled.error()));
        if (source.chunk.empty()) continue;
        const AddressEntry head = entry_at(source.chunk, source.position);
        if (least == nullptr || head < candidate) {
          least = &source;
          candidate = head;
        }
      }
      if (least == nullptr) return false;
      ++least->position;
      if (any_ && candidate == last_) continue;
      any_ = true;
      last_ = entry = candidate;
      return true;
    }
  }

 private:
  struct Source {
    Run run;
    std::int64_t following = 0;  // the chunk to read next
    std::size_t position = 0;    // within the chunk at hand
    std::string chunk;
  };

  Result<void> fill(Source& source) {
    if (source.position * kEntryOctets < source.chunk.size()) return {};
    source.chunk.clear();
    source.position = 0;
    if (source.following == source.run.chunks) return {};
    auto query = db_.query("SELECT entries FROM address_chunks WHERE id = ?");
    query.bind(source.run.id << kChunkBits | source.following);
    if (query.next()) source.chunk = query.blob(0);
    if (query.failed()) return fail(query.error());
    if (source.chunk.empty() || source.chunk.size() % kEntryOctets != 0) {
      return fail(ErrorKind::corrupt, "the index of addresses is damaged");
    }
    ++source.following;
    return {};
  }

  Connection& db_;
  std::vector<Source> sources_;
  AddressEntry last_;
  bool any_ = false;
};

AddressIndexer::AddressIndexer(Connection& reader, AddressHash hash, Write write, Limits limits)
    : reader_(reader), hash_(hash), write_(std::move(write)), limits_(limits) {}

Result<void> AddressIndexer::recover() {
  return write_([](Connection& db) {
    return db.query("UPDATE address_runs SET state = ? WHERE state = ?")
        .bind(kRunDead, kRunBuilding)
        .run();
  });
}

Result<bool> AddressIndexer::step() {
  for (const auto& piece : {&AddressIndexer::build_run, &AddressIndexer::drop_outlived,
                            &AddressIndexer::remove_dead, &AddressIndexer::merge}) {
    auto worked = (this->*piece)();
    if (!worked || *worked) return worked;
  }
  return false;
}

// Appends the entries of recipients that no run has; returns the row id up to which it read.
Result<std::int64_t> AddressIndexer::read_tail(std::vector<AddressEntry>& entries) {
  auto last = reader_.integer("SELECT value FROM meta WHERE name = 'address_indexed'");
  if (!last) return last;
  auto rows =
      reader_.query("SELECT id, address, codes FROM recipients WHERE id > ? ORDER BY id LIMIT ?");
  auto owner = reader_.query("SELECT domain, account FROM batches WHERE number = ?");
  rows.bind(*last, limits_.run_entries_max);
  std::int64_t batch = -1;
  std::string domain;
  AccountKey account{};
  while (rows.next()) {
    last = rows.integer(0);
    if (batch_of(*last) != batch) {
      batch = batch_of(*last);
      owner.reset();
      owner.bind(batch);
      if (owner.next()) {
        domain = owner.text(0);
        account = AccountKey{owner.integer(1)};
      }
      if (owner.failed()) return fail(owner.error());
    }
    entries.push_back({hash_(full_address(rows.text(1), domain)), *last});
    if (rows.is_null(2)) continue;
    for (const Mark& mark : marks_of(attached_in(rows.blob(2)), account)) {
      entries.push_back({hash_of(hash_, mark), *last});
    }
  }
  if (rows.failed()) return fail(rows.error());
  return last;
}

Result<void> AddressIndexer::read_recent(std::vector<AddressEntry>& entries) {
  auto recent = reader_.query("SELECT recipient, hash FROM address_recent LIMIT ?");
  recent.bind(limits_.run_entries_max);
  while (recent.next()) {
    entries.push_back({std::bit_cast<std::uint64_t>(recent.integer(1)), recent.integer(0)});
  }
  if (recent.failed()) return fail(recent.error());
  return {};
}

Result<bool> AddressIndexer::build_run() {
  std::vector<AddressEntry> tail;
  std::vector<AddressEntry> recent;
  std::int64_t indexed = 0;
  {
    // Of a step that threw.
    if (reader_.in_transaction())
      sqlite3_exec(reader_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
    auto begun = reader_.execute("BEGIN");
    if (!begun) return fail(std::move(begun.error()));
    const auto last = read_tail(tail);
    auto read = last ? read_recent(recent) : Result<void>(fail(last.error()));
    auto ended = reader_.execute("COMMIT");
    if (!read) return fail(std::move(read.error()));
    if (!ended) return fail(std::move(ended.error()));
    indexed = *last;
  }
  if (static_cast<std::int64_t>(tail.size()) < limits_.run_entries_min &&
      static_cast<std::int64_t>(recent.size()) < limits_.recent_max) {
    return false;
  }
  std::vector<AddressEntry> entries = tail;
  entries.insert(entries.end(), recent.begin(), recent.end());
  std::ranges::sort(entries);
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  std::int64_t last_recipient = 0;
  for (const AddressEntry& entry : entries) {
    last_recipient = std::max(last_recipient, entry.recipient);
  }
  auto written = write_([chunks = chunked(entries), size = entries.size(), recent, indexed,
                         last_recipient](Connection& db) -> Result<void> {
    auto done = insert_run(db, kRunLive, static_cast<std::int64_t>(size),
                           static_cast<std::int64_t>(chunks.size()), last_recipient);
    const std::int64_t run = sqlite3_last_insert_rowid(db.raw());
    for (std::size_t i = 0; done && i < chunks.size(); ++i) {
      done = insert_chunk(db, run, static_cast<std::int64_t>(i), chunks[i]);
    }
    for (std::size_t i = 0; done && i < recent.size(); ++i) {
      // Only what the run has: the address may have changed again since.
      done = db.query("DELETE FROM address_recent WHERE recipient = ? AND hash = ?")
                 .bind(recent[i].recipient, std::bit_cast<std::int64_t>(recent[i].hash))
                 .run();
    }
    if (!done) return done;
    return db.query("UPDATE meta SET value = ? WHERE name = 'address_indexed'").bind(indexed).run();
  });
  if (!written) return fail(std::move(written.error()));
  return true;
}

Result<std::vector<AddressIndexer::Run>> AddressIndexer::live_runs() {
  std::vector<Run> runs;
  auto query = reader_.query(
      "SELECT id, entries, chunks, last_recipient FROM address_runs WHERE state = 2 ORDER BY id");
  while (query.next()) {
    runs.push_back({query.integer(0), query.integer(1), query.integer(2), query.integer(3)});
  }
  if (query.failed()) return fail(query.error());
  return runs;
}

// Removes runs all of whose recipients are gone: deliveries go oldest first.
Result<bool> AddressIndexer::drop_outlived() {
  const auto oldest = reader_.integer("SELECT min(id) FROM recipients");
  if (!oldest) return fail(oldest.error());
  const auto runs = live_runs();
  if (!runs) return fail(runs.error());
  for (const Run& run : *runs) {
    if (run.last_recipient >= *oldest) continue;
    auto dropped = write_([id = run.id](Connection& db) {
      return db.query("UPDATE address_runs SET state = ? WHERE id = ?").bind(kRunDead, id).run();
    });
    if (!dropped) return fail(std::move(dropped.error()));
    return true;
  }
  return false;
}

Result<bool> AddressIndexer::remove_dead() {
  const auto run = reader_.integer("SELECT id FROM address_runs WHERE state = 3 LIMIT 1");
  if (!run) return fail(run.error());
  if (*run == 0) return false;
  auto removed = write_([id = *run, slice = limits_.slice_chunks](Connection& db) -> Result<void> {
    auto done = db.query(
                      "DELETE FROM address_chunks WHERE id IN (SELECT id FROM address_chunks"
                      " WHERE id BETWEEN ? AND ? LIMIT ?)")
                    .bind(id << kChunkBits, ((id + 1) << kChunkBits) - 1, slice)
                    .run();
    if (!done || db.changes() > 0) return done;
    return db.query("DELETE FROM address_runs WHERE id = ?").bind(id).run();
  });
  if (!removed) return fail(std::move(removed.error()));
  return true;
}

Result<bool> AddressIndexer::merge() {
  auto runs = live_runs();
  if (!runs) return fail(std::move(runs.error()));
  std::vector<Run> chosen;
  std::int64_t size_max = limits_.run_entries_max;
  for (int level = 0; level < kLevels && chosen.size() < limits_.fan_in; ++level) {
    chosen.clear();
    for (const Run& run : *runs) {
      const bool of_level =
          run.entries <= size_max &&
          (level == 0 || run.entries > size_max / static_cast<std::int64_t>(limits_.fan_in));
      if (of_level && chosen.size() < limits_.fan_in) chosen.push_back(run);
    }
    size_max *= static_cast<std::int64_t>(limits_.fan_in);
  }
  if (chosen.size() < limits_.fan_in) return false;

  const auto oldest = reader_.integer("SELECT min(id) FROM recipients");
  if (!oldest) return fail(oldest.error());
  std::int64_t id = 0;
  auto done = write_([&id](Connection& db) -> Result<void> {
    auto inserted = insert_run(db, kRunBuilding, 0, 0, 0);
    id = sqlite3_last_insert_rowid(db.raw());
    return inserted;
  });
  if (!done) return fail(std::move(done.error()));

  Merge input(reader_, chosen);
  Run result{id, 0, 0, 0};
  for (bool more = true; more;) {
    std::vector<AddressEntry> slice;
    while (static_cast<std::int64_t>(slice.size()) < limits_.slice_chunks * kChunkEntries) {
      AddressEntry entry;
      const auto next = input.next(entry);
      if (!next) return fail(next.error());
      more = *next;
      if (!more) break;
      if (entry.recipient < *oldest) continue;  // gone meanwhile
      slice.push_back(entry);
      result.last_recipient = std::max(result.last_recipient, entry.recipient);
    }
    const std::vector<std::string> chunks = chunked(slice);
    const std::int64_t first = result.chunks;
    result.entries += static_cast<std::int64_t>(slice.size());
    result.chunks += static_cast<std::int64_t>(chunks.size());
    done = write_([&, last = !more](Connection& db) -> Result<void> {
      Result<void> stored;
      for (std::size_t i = 0; stored && i < chunks.size(); ++i) {
        stored = insert_chunk(db, id, first + static_cast<std::int64_t>(i), chunks[i]);
      }
      if (!stored || !last) return stored;
      for (std::size_t i = 0; stored && i < chosen.size(); ++i) {
        stored = db.query("UPDATE address_runs SET state = ? WHERE id = ?")
                     .bind(kRunDead, chosen[i].id)
                     .run();
      }
      if (!stored) return stored;
      return db
          .query(
              "UPDATE address_runs SET state = ?, entries = ?, chunks = ?,"
              " last_recipient = ? WHERE id = ?")
          .bind(kRunLive, result.entries, result.chunks, result.last_recipient, id)
          .run();
    });
    if (!done) return fail(std::move(done.error()));
  }
  return true;
}

// ---- thread ------------------------------------------------------------------------------------

IndexerThread::IndexerThread(std::unique_ptr<Connection> reader, AddressHash hash,
                             AddressIndexer::Write write,
                             const std::atomic<std::uint64_t>& addresses_written, StopFilter& stops,
                             AddressIndexer::Limits limits, const Clock& clock)
    : reader_(std::move(reader)),
      indexer_(*reader_, hash, until_stopped(write), limits),
      stops_(*reader_, stops, until_stopped(std::move(write))),
      addresses_written_(addresses_written),
      clock_(clock) {}

IndexerThread::~IndexerThread() {
  stop();
}

AddressIndexer::Write IndexerThread::until_stopped(AddressIndexer::Write write) {
  return [this, write = std::move(write)](AddressIndexer::Change change) -> Result<void> {
    if (stopping_) return fail(ErrorKind::unavailable, "the store is closing");
    return write(std::move(change));
  };
}

void IndexerThread::start() {
  thread_ = std::thread([this] { run(); });
}

void IndexerThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void IndexerThread::run() {
  constexpr std::chrono::seconds kPause{1};
  bool recovered = false;
  // Usually a full disk. What was begun is given up and begun anew when there is room.
  Trouble trouble(log::Level::warning, "address index waits", "address index goes on");
  std::optional<std::uint64_t> seen;  // up to where everything is done
  while (!stopping_) {
    // Read before the work, so that what is written meanwhile is looked at again.
    const std::uint64_t written = addresses_written_;
    auto worked = caught([this] { return stops_.step(); });
    if (worked && *worked) continue;
    if (!recovered) {
      auto done = caught([this] { return indexer_.recover(); });
      if (!done) worked = fail(std::move(done.error()));
      recovered = worked.has_value();
    }
    if (worked && recovered && seen != written) worked = caught([this] { return indexer_.step(); });
    if (worked) {
      trouble.worked(clock_.steady_now());
    } else if (!stopping_) {
      trouble.failed(clock_.steady_now(), {{"error", worked.error().detail}});
    }
    if (worked && *worked) continue;
    if (worked) {
      seen = written;
    } else {
      recovered = false;
    }
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, kPause, [&] { return stopping_.load(); });
  }
}

}  // namespace todoku::store::sqlite
