// SPDX-License-Identifier: Apache-2.0
// Does export jobs (store/exports.h), one after the other, on a thread of its own: they are patient
// work. Takes those that nobody has, or whose node has died; removes what ended some days ago.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/trouble.h"
#include "events/exports/sheet.h"
#include "intake/uploads.h"
#include "store/store.h"

namespace todoku::events::exports {

// Writes the header and the rows of a job. An error of kind unavailable: it is tried again; any
// other ends the job as failed. Runs on the exporter's thread, and may wait for the store.
using Produce = std::function<Result<void>(const store::ExportJob& job, Sheet& sheet)>;

class Exporter {
 public:
  struct Waiting {
    Milliseconds look_every = std::chrono::seconds(1);
    Milliseconds keep = std::chrono::hours(7 * 24);
    Milliseconds sweep_every = std::chrono::minutes(10);
  };
  using NodeOf = std::function<store::NodeKey()>;

  // All of it outlives the exporter. `node`: whose its jobs are.
  Exporter(store::Store& store, intake::Uploads& uploads, NodeOf node, const Clock& clock,
           Waiting waiting);
  Exporter(store::Store& store, intake::Uploads& uploads, NodeOf node, const Clock& clock)
      : Exporter(store, uploads, std::move(node), clock, Waiting{}) {}
  ~Exporter();

  // Before start_thread(). `name`: of the file in the archive, before the job's id.
  void add(store::ExportKind kind, std::string name, Produce produce);
  void start_thread();
  // Ends at the next word of the job at hand, which goes on elsewhere or at the next start.
  void stop();

  // What the thread does, for tests: the jobs that wait now; how many were ended.
  std::size_t do_waiting();
  void remove_old();

 private:
  struct Kind {
    std::string name;
    Produce produce;
  };
  void work();
  // True if it was ended.
  bool run(const store::ExportJob& job);
  [[nodiscard]] Result<store::ExportEnd> produce(const store::ExportJob& job);
  [[nodiscard]] bool tell(const store::ExportJob& job, std::int32_t percentage);

  store::Store& store_;
  intake::Uploads& uploads_;
  const NodeOf node_;
  const Clock& clock_;
  const Waiting waiting_;
  std::map<store::ExportKind, Kind> kinds_;
  Trouble looking_{log::Level::warning, "exports wait for the store", "exports go on"};
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace todoku::events::exports
