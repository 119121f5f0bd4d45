// SPDX-License-Identifier: Apache-2.0
// Writes the journal: reads what events and suppression lists say, appends it to the folder outside
// and only then notes in the store how far that has come. One process does so at a time
// (store/event_readers.h). What was appended twice, because its process died in between, says the
// same. A folder that is full or away stops nobody: it is tried again, and told.
//
// Lives on one thread; what waits for the disk is done by the file pool.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "async/file_pool.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "events/journal/segments.h"
#include "store/store.h"

namespace todoku::events::journal {

// Settings of the store: which store a journal is of, and the number of its last record. A restored
// copy has those of its time.
inline constexpr std::string_view kStoreSetting = "journal_store";
inline constexpr std::string_view kNumberSetting = "journal";

[[nodiscard]] std::string new_store_name();

struct JournalOptions {
  std::string folder;
  std::size_t segment_octets = std::size_t{8} << 20U;
  Milliseconds keep{};  // files that were last written to before are removed
  Milliseconds look_every = std::chrono::milliseconds(250);
  Milliseconds retry_after = std::chrono::seconds(2);  // the folder
};

// How far the journal has come in the store, as its reader keeps it.
struct Progress {
  std::uint64_t number = 0;  // of the last record
  store::EventPlace after;
  store::AccountKey after_account{};
  Instant stops_from{};
  std::int64_t removals_after = 0;
  friend bool operator==(const Progress&, const Progress&) = default;
};
[[nodiscard]] std::string pack(const Progress& progress);
// Errors: corrupt.
[[nodiscard]] Result<Progress> unpack_progress(std::string_view packed);

struct Told;  // gathering.h

class Journaler {
 public:
  // Everything referred to outlives it.
  struct World {
    store::Store& store;
    async::FilePool& files;
    const Clock& clock;
    Metrics& metrics;
    std::function<store::NodeKey()> node;  // this process
    std::function<bool()> holds;           // its lease; without it nothing is written
  };
  Journaler(World world, JournalOptions options, async::Executor executor);

  ~Journaler();
  Journaler(const Journaler&) = delete;
  Journaler& operator=(const Journaler&) = delete;

  void start();
  // From any executor; once. What is behind then is appended by the next process. Waits for a
  // folder that hangs, and says so.
  Task<void> stop();

  // One turn, for tests: takes the reader if nobody has it, reads, appends; without the lease
  // nothing but that it has no trouble. True: at once again.
  Task<bool> turn();

  // What operators are to know; empty: nothing. From any thread.
  [[nodiscard]] std::string trouble() const;

  // Brings the figure of the lag up to date: a folder that hangs ends no turn. From any thread.
  void show_lag() const;

 private:
  Task<void> run();
  Task<void> stop_here();
  Task<Result<void>> take();
  Task<Result<bool>> go_on();
  Task<Result<void>> append(std::string octets);
  Task<void> drop();
  Task<Result<void>> save();
  void note(Result<bool> done);
  // With mutex_ held.
  [[nodiscard]] Microseconds lag_at(SteadyInstant now) const;
  [[nodiscard]] bool hangs_at(SteadyInstant now) const;

  const World world_;
  const JournalOptions options_;
  async::Executor executor_;
  Counter& records_;
  Counter& octets_;
  Counter& failures_;
  Counter& drop_failures_;
  Gauge& lag_;
  std::optional<store::NodeKey> taken_as_;
  std::string store_name_;
  Progress progress_;
  Progress saved_;
  std::unique_ptr<Told> told_;
  std::int64_t stops_limit_;
  std::optional<Segment> segment_;
  SteadyInstant save_at_{};
  SteadyInstant drop_at_{};
  bool stopping_ = false;
  Trouble is_stuck_{log::Level::error,
                    "the journal is not written: what happens now would be "
                    "forgotten with the store",
                    "the journal is written again"};
  Trouble grows_{log::Level::warning, "old files of the journal stay",
                 "old files of the journal are removed again"};
  mutable std::mutex mutex_;  // guards what follows
  std::string reason_;
  std::optional<SteadyInstant> behind_since_;
  std::optional<SteadyInstant> turn_began_;  // while it lasts
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::events::journal
