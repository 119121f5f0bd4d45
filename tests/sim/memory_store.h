// SPDX-License-Identifier: Apache-2.0
// The embedded store's transactions, all of its SQL, on a database in memory and in the caller's
// thread: hundreds of worlds need no file, no thread and no waiting for one. What this leaves out,
// the group writer and the disk, has tests of its own (tests/conformance/store).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "store/sqlite/transactions.h"

namespace todoku::sim {

class MemoryStore {
 public:
  MemoryStore();
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // Runs Result<T>(ReadTransaction&).
  template <class Work>
  std::invoke_result_t<Work&, store::ReadTransaction&> read(Work work) {
    return work(*transaction_);
  }
  // Runs Result<T>(WriteTransaction&) and commits, or undoes everything if it fails.
  template <class Work>
  std::invoke_result_t<Work&, store::WriteTransaction&> write(Work work) {
    begin();
    auto result = work(*transaction_);
    end(result.has_value());
    return result;
  }

 private:
  void begin();
  void end(bool commit);

  store::sqlite::LiveFigures figures_;
  std::unique_ptr<store::sqlite::Connection> db_;
  std::unique_ptr<store::sqlite::SqliteWriteTransaction> transaction_;
  store::sqlite::SqliteWriteTransaction::Pending before_{};
};

}  // namespace todoku::sim
