// SPDX-License-Identifier: Apache-2.0
// The embedded store: one SQLite database in WAL mode with synchronous=FULL, written by one thread
// in groups, read by a few, checkpointed by another (docs/ARCHITECTURE.md, "The store").
//
// Pieces of work should be small: a transaction each, up to 1,000 outcomes, up to 1,000 rows of an
// import (from 250 on domains are told apart well; 1,000 rows take about 5 ms), purge_deleted() of
// up to 1,000 rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace todoku::store {

namespace sqlite {
class LogCapture;
}

class SqliteStore final : public Store {
 public:
  enum class Synchronous : std::uint8_t { full, normal, off };

  struct Options {
    std::filesystem::path path;    // the database file; its directory must exist
    const Clock* clock = nullptr;  // required; must outlive the store
    std::string vfs;               // SQLite's virtual file system; empty: the default
    // How long a lock that somebody has is waited for: commands hold it for moments.
    Milliseconds lock_wait{0};
    // False: only what is there already is opened, and a missing or empty database is not_found.
    bool may_begin = true;
    // Less than full breaks the first promise (accepted means kept): for tests only.
    Synchronous synchronous = Synchronous::full;
    // Pieces of work that may wait, by WritePriority; one more is refused with unavailable.
    std::array<std::size_t, kWritePriorities> queued_max{20'000, 4'000, 4'000, 64, 64};
    // Octets of mails that wait to be accepted, all together; a single one may have more.
    std::size_t accept_octets_max = 256UL << 20U;
    std::size_t readers = 2;
    // Connections that look ahead at what a question will read from many places; 0: none does.
    std::size_t looking_ahead = 8;
    std::size_t questions_max = 4'096;  // that may wait for a reader
    Milliseconds question_max{100};     // a longer question is interrupted: unavailable
    int writer_cache_kib = 32'768;
    int reader_cache_kib = 8'192;
    // Pages in the write-ahead log that make a checkpoint worth while, and that it should not pass;
    // fewer on a small disk, of which the log takes a sixteenth.
    std::int64_t checkpoint_pages = 4'000;
    std::int64_t log_pages_max = 16'000;
    // Who takes what is committed, to ship it; null: nobody. Must outlive the store.
    sqlite::LogCapture* capture = nullptr;
    // Recipients that are looked through one by one before an index of their addresses is made.
    std::int64_t unindexed_max = 16'384;
  };

  // Takes the lock of the store, creates or migrates the database, takes in what an earlier run
  // left in the log, starts the threads. Errors: conflict (another process uses it), not_found (see
  // may_begin), corrupt, unsupported (of a newer version), io, unavailable; the sentence says what
  // to do.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(const Options& options);
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  void submit(Accept accept, Answered<Accept> done) override;
  void submit(Settle settle, Answered<Settle> done) override;
  void submit(Claim claim, Answered<Claim> done) override;
  void submit(StageRows stage, Answered<StageRows> done) override;
  void submit(Due due, Answered<Due> done) override;
  void submit(BellWork work, Answered<BellWork> done) override;
  void submit_write(WritePriority priority, WriteWork work, Done done) override;
  void submit_read(ReadWork work, Done done) override;
  [[nodiscard]] StoreFigures figures() const override;
  // A base/forward_clock.h.
  [[nodiscard]] const Clock& clock() const override;
  void close() override;

 private:
  struct Parts;
  explicit SqliteStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace todoku::store
