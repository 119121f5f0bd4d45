// SPDX-License-Identifier: Apache-2.0
// Builds and merges the runs of the address index (address_index.h) in small pieces.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/sqlite/address_index.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/stop_filter.h"

namespace todoku::store::sqlite {

class AddressIndexer {
 public:
  struct Limits {
    std::int64_t run_entries_min = 16'384;  // fewer recipients are not worth a run: they are read
    std::int64_t run_entries_max = 65'536;  // of a new run
    std::int64_t recent_max = 4'096;        // address_recent is emptied into a run from here on
    std::size_t fan_in = 8;                 // runs of one size that are merged
    std::int64_t slice_chunks = 256;        // written or deleted in one transaction
  };
  // Runs a change in a transaction of the writer and waits for its commit.
  using Change = std::function<Result<void>(Connection&)>;
  using Write = std::function<Result<void>(Change)>;

  // `reader` must outlive the indexer and belong to its thread.
  AddressIndexer(Connection& reader, AddressHash hash, Write write, Limits limits);

  // Does what is most urgent: a new run, a merge, or removing a run that is merged. False when
  // nothing is to be done.
  [[nodiscard]] Result<bool> step();
  // Gives up runs that were left unfinished, by an earlier process or a step that failed.
  [[nodiscard]] Result<void> recover();

 private:
  struct Run {
    std::int64_t id = 0;
    std::int64_t entries = 0;
    std::int64_t chunks = 0;
    std::int64_t last_recipient = 0;
  };
  class Merge;

  [[nodiscard]] Result<bool> build_run();
  [[nodiscard]] Result<std::int64_t> read_tail(std::vector<AddressEntry>& entries);
  [[nodiscard]] Result<void> read_recent(std::vector<AddressEntry>& entries);
  [[nodiscard]] Result<bool> drop_outlived();
  [[nodiscard]] Result<bool> merge();
  [[nodiscard]] Result<bool> remove_dead();
  [[nodiscard]] Result<std::vector<Run>> live_runs();

  Connection& reader_;
  AddressHash hash_;
  Write write_;
  const Limits limits_;
};

// Runs an indexer on a thread of its own, about a second behind the writer; and makes the filter of
// suppressions there.
class IndexerThread {
 public:
  IndexerThread(std::unique_ptr<Connection> reader, AddressHash hash, AddressIndexer::Write write,
                const std::atomic<std::uint64_t>& addresses_written, StopFilter& stops,
                AddressIndexer::Limits limits, const Clock& clock);
  ~IndexerThread();
  IndexerThread(const IndexerThread&) = delete;
  IndexerThread& operator=(const IndexerThread&) = delete;

  void start();
  // Ends the thread after the write at hand; a merge under way is given up. Idempotent.
  void stop();

 private:
  void run();
  [[nodiscard]] AddressIndexer::Write until_stopped(AddressIndexer::Write write);

  std::unique_ptr<Connection> reader_;
  AddressIndexer indexer_;
  StopFilterMaker stops_;
  const std::atomic<std::uint64_t>& addresses_written_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::atomic<bool> stopping_ = false;  // set under mutex_
  std::thread thread_;
};

}  // namespace todoku::store::sqlite
