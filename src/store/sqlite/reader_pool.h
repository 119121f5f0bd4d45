// SPDX-License-Identifier: Apache-2.0
// The reader threads, each with a connection of its own. Every question is answered from one
// snapshot; one that takes too long is interrupted, because a snapshot keeps the write-ahead log
// from beginning anew.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/forward_clock.h"
#include "store/sqlite/transactions.h"
#include "store/store.h"

namespace todoku::store::sqlite {

class ReaderPool {
 public:
  struct Limits {
    std::size_t queued_max = 4096;
    Milliseconds question_max{100};
  };

  // `figures` and `clock` must outlive the pool.
  ReaderPool(std::vector<std::unique_ptr<Connection>> connections, const LiveFigures& figures,
             AddressHash hash, const ForwardClock& clock, Limits limits);
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  // `ahead`: who looks beforehand at what these readers are about to read; must outlive the pool.
  void start(ReadAhead* ahead = nullptr);
  using Work = std::move_only_function<Result<void>(SqliteReadTransaction&)>;

  // Thread-safe; see Store::submit_read.
  void submit(Work work, Done done);
  // Answers what is queued, then ends the threads and closes their connections. Idempotent.
  void stop();

 private:
  struct Question {
    Work work;
    Done done;
  };
  struct Reader;

  void run(Reader& reader);
  [[nodiscard]] Result<void> answer(Reader& reader, Work& work);

  const ForwardClock& clock_;
  const Limits limits_;
  BoundedQueue<Question> queue_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::thread> threads_;
};

}  // namespace todoku::store::sqlite
