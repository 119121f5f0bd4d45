// SPDX-License-Identifier: Apache-2.0
// Ships a store as it changes: every second what was committed since the last time (log_capture.h),
// and now and then a snapshot, which a restore begins with (gather_shipped.h). Mail never waits for
// it. What is there in `place` is a chain: it begins with a snapshot, and each segment continues
// the one before. Another chain is begun with each start, because an earlier engine's last changes
// may not be in the place; and where the place has not answered for so long that more changes wait
// than there is room for. Until its snapshot is there, what can be restored is of the chain before.
//
// A place has one store: what nobody needs any more is judged over all that is there. One that has
// another's id is not written to, nor one that had ours in this life and has it no more.
//
// Two threads of its own: one ships, one copies while there is a snapshot to be made. In memory are
// at most the changes that wait (octets_max of log_capture.h) and, on its way, a segment of as many
// octets; and, of a file and of a snapshot each, a part.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/trouble.h"
#include "store/sqlite/backup_files.h"
#include "store/sqlite/log_capture.h"
#include "store/sqlite/shipment.h"
#include "store/sqlite/shipped_names.h"
#include "store/sqlite/shipped_place.h"

namespace todoku::store::sqlite {

struct ShipOptions {
  std::filesystem::path database;
  std::string store;  // its id: a line of text by which it is told from others, and no secret
  IsKept is_kept;     // of the files beside it, that go along
  Milliseconds every{1'000};
  Milliseconds snapshot_every = std::chrono::hours(24);
  Milliseconds keep = std::chrono::days(7);  // states of so long ago can be restored
  Milliseconds retry_after{2'000};
  // A snapshot that failed is tried again after retry_after, then after twice as long each time.
  Milliseconds snapshot_retry_most = std::chrono::minutes(10);
  std::size_t part_octets = std::size_t{32} << 20U;  // of snapshots and files
};

class LogShipper {
 public:
  // All outlive it.
  struct World {
    LogCapture& capture;
    ShippedPlace& place;
    const Clock& clock;
    Metrics& metrics;
  };
  LogShipper(World world, ShipOptions options);
  ~LogShipper();
  LogShipper(const LogShipper&) = delete;
  LogShipper& operator=(const LogShipper&) = delete;

  // Once; while the store is open.
  void start();
  // What start() does again and again, for tests: begin() once, and then turns.
  void begin();
  void turn();
  // Before the store is closed: from then on nothing reads in it. Waits for the place. Idempotent.
  void rest();
  // Once the store is closed: ships what is left, and waits for the place. Idempotent.
  void stop();

  // The chain that is shipped has a snapshot. Of the thread that has turns.
  [[nodiscard]] bool is_whole() const { return whole_; }
  // What operators are to know; empty: nothing. From any thread.
  [[nodiscard]] std::string trouble() const;
  // Brings the figure of the lag up to date. From any thread.
  void show_lag() const;

 private:
  struct Pending {  // a segment on its way
    std::string name;
    std::string octets;
    std::uint64_t number = 0;
    Instant last{};
  };
  struct Copied {  // a snapshot whose parts are there
    std::uint64_t first = 0;
    std::uint32_t page_octets = 0;
    std::uint32_t file_pages = 0;
    std::string checks;
  };

  void run();
  void begin_chain();
  [[nodiscard]] Result<void> look_at_place();
  [[nodiscard]] Result<void> ship();
  [[nodiscard]] Result<void> ship_files();
  [[nodiscard]] Result<void> ship_file(const std::filesystem::path& path);
  void look_at_snapshot(bool answers);
  void snapshot_failed(const Error& error);
  void begin_snapshot();
  [[nodiscard]] Result<Copied> make_snapshot(const std::string& chain, std::uint64_t first);
  [[nodiscard]] Result<void> put_parts(const std::string& chain, const std::filesystem::path& copy,
                                       Copied& copied);
  [[nodiscard]] Result<void> end_snapshot(const Copied& copied);
  void drop();
  [[nodiscard]] Result<void> drop_old();
  [[nodiscard]] Result<std::vector<std::string>> files_of_old(const Shipped& shipped);
  void note(const Result<void>& done);
  void give_up_snapshot();

  const World world_;
  const ShipOptions options_;
  Counter& segments_;
  Counter& octets_;
  Counter& snapshots_;
  Counter& failures_;
  Gauge& lag_;
  Trouble fails_{log::Level::error, "the store's log is not shipped",
                 "the store's log is shipped again"};
  Trouble behind_{log::Level::error, "shipping fell behind, and begins anew with a snapshot",
                  "shipping keeps up again"};
  Trouble old_stays_{log::Level::warning, "what was shipped long ago stays",
                     "what was shipped long ago is removed again"};

  // Of the thread that ships.
  std::string chain_;
  std::string life_;        // of which it is one
  bool made_ = false;       // the place has begun
  bool is_ours_ = false;    // it had our id
  std::uint64_t next_ = 1;  // number of the segment that changes go into from now on
  std::uint64_t shipped_ = 0;
  Sha256 previous_{};
  Instant last_shipped_{};
  std::optional<Pending> pending_;
  bool broken_ = false;                        // what was taken got lost on its way into a segment
  std::set<std::string> files_;                // that were shipped in this life
  std::map<std::string, Instant> gone_since_;  // files that are there and not here any more
  bool whole_ = false;                         // the chain has a snapshot
  SteadyInstant snapshot_at_{};
  std::string snapshot_error_;  // of the last attempt; empty: there was none, or it is there
  Milliseconds snapshot_pause_{};
  SteadyInstant snapshot_again_{};
  SteadyInstant dropped_at_{};
  bool stopped_ = false;  // of whoever stops it, once there is no such thread

  std::thread copier_;
  std::atomic<bool> copying_{false};
  std::atomic<bool> gives_up_{false};
  std::optional<Result<Copied>> copied_;  // once copying_ is false

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::string reason_;
  SteadyInstant covered_{};  // all that was committed by then can be restored
  std::thread thread_;
};

}  // namespace todoku::store::sqlite
