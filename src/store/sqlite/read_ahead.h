// SPDX-License-Identifier: Apache-2.0
// Looks at what a question is about to read from many places. SQLite asks for a page, waits for it
// and asks for the next; a disk answers several at once in little more than the time of one. So
// other connections read the same rows a little earlier, and the one that answers finds their pages
// in the cache of the operating system. What they find is told to nobody: a look that fails, or is
// left out because too many wait, makes no answer different.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "store/sqlite/reader_pool.h"

namespace todoku::store::sqlite {

class ReadAhead {
 public:
  // One look at a time by each of the connections. `figures` and `clock` must outlive it.
  ReadAhead(std::vector<std::unique_ptr<Connection>> connections, const LiveFigures& figures,
            AddressHash hash, const ForwardClock& clock);

  void start() { pool_.start(); }
  void stop() { pool_.stop(); }

  // Thread-safe; neither waits. At the batches of recipients, by their row ids.
  void batches(std::span<const std::int64_t> recipients);
  // At all that a log has to tell of recipients, by their email ids in the order in which they will
  // be read. Those next to each other, whose rows share pages, are left to who reads them.
  void stories(AccountKey account, std::span<const PublicId> ids);

 private:
  ReaderPool pool_;
};

}  // namespace todoku::store::sqlite
