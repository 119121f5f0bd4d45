// SPDX-License-Identifier: Apache-2.0
// The embedded store's transactions, all of its SQL, on a database in memory and in the caller's
// thread: hundreds of worlds need no file, no thread and no waiting for one. What this leaves out,
// the group writer and the disk, has tests of its own (tests/conformance/store).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "store/sqlite/transactions.h"

namespace todoku::sim {

class MemoryStore {
 public:
  // `clock` is the store's, and must outlive it.
  explicit MemoryStore(const Clock& clock);
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // Runs Result<T>(ReadTransaction&).
  template <class Work>
  std::invoke_result_t<Work&, store::ReadTransaction&> read(Work work) {
    transaction_->set_now(clock_.now());
    return work(transaction_->read());
  }
  // Runs Result<T>(SqliteWriteTransaction&) and commits, or undoes everything if it fails.
  template <class Work>
  std::invoke_result_t<Work&, store::sqlite::SqliteWriteTransaction&> write(Work work) {
    begin();
    auto result = work(*transaction_);
    end(result.has_value());
    return result;
  }

  // The token of a batch as it is now; for who does without the check of it.
  [[nodiscard]] std::uint64_t token_of(const store::BatchKey& batch);
  // Forgets whose mail is on its way; for who does without that. Within a transaction.
  void forget_ways();

 private:
  void begin();
  void end(bool commit);

  const Clock& clock_;
  store::sqlite::LiveFigures figures_;
  std::unique_ptr<store::sqlite::Connection> db_;
  std::unique_ptr<store::sqlite::SqliteWriteTransaction> transaction_;
};

}  // namespace todoku::sim
