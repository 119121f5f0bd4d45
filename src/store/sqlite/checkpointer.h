// SPDX-License-Identifier: Apache-2.0
// Moves what was committed from the write-ahead log into the database file, on a thread of its own,
// so that no commit pays for it; and has the log begin anew when it has grown.
//
// SQLite before 3.51.3 can lose commits when the log is begun anew while a checkpoint runs that
// found everything checkpointed already (sqlite.org/wal.html, "The WAL-Reset Bug"). So a checkpoint
// of the thread runs only after a change was committed, under a read snapshot that keeps the log
// from being begun anew until it is over; and what is left of a log that never comes to rest is
// moved by the writer itself, between two commits.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "base/trouble.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

class Checkpointer {
 public:
  struct Limits {
    std::int64_t frames_wanted = 4'000;  // pages in the log that make a checkpoint worth while
    std::int64_t frames_max = 16'000;    // from here on the log is to begin anew
    Milliseconds idle{1'000};            // even a short log is moved after this time
  };

  // Both connections belong to the checkpointer: one moves pages, one holds the snapshot. `clock`
  // must outlive it.
  Checkpointer(std::unique_ptr<Connection> worker, std::unique_ptr<Connection> pin, Limits limits,
               const Clock& clock);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void start();
  // Ends the thread and closes the connections. Idempotent.
  void stop();

  // The writer has committed a change and the log has this many pages.
  void committed(std::int64_t frames);
  // By the writer between two transactions: moves the rest of a log that is too long.
  void move_rest(Connection& writer);

 private:
  void run();
  [[nodiscard]] Result<void> checkpoint();
  void report(int code, std::string_view error);

  std::unique_ptr<Connection> worker_;
  std::unique_ptr<Connection> pin_;
  const Limits limits_;
  const Clock& clock_;
  std::mutex running_;  // held while either thread checkpoints
  Trouble trouble_{log::Level::error, "checkpoints fail", "checkpoints succeed again"};

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::int64_t frames_ = 0;  // in the log
  std::int64_t moved_ = 0;   // of which are in the database file
  bool unmoved_ = false;     // commits since the last checkpoint that moved everything
  bool rest_wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace todoku::store::sqlite
