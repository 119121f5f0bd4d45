// SPDX-License-Identifier: Apache-2.0
// Runs imports: reads the uploaded file in slices, stages its rows in the store, and makes them
// visible all at once at the end. The file is never in memory; a crash starts the job over. It may
// be in any encoding of list_encoding.h, for which it is looked through once before; NDJSON
// (json_rows.h) is UTF-8. A job that is a dry run stages nothing: it ends as the import would, and
// tells what that would bring (list_findings.h).
//
// Rows may be shorter than the header (list_header.h) but not longer: a missing field is no insert
// code, which leaves its key in the text; an empty one is an empty value, as in JSON. Empty cells
// at the end of rows are spreadsheets' and say nothing.
//
// With `immediate` a job that leaves nobody to send to has failed, and the delivery stays a draft.
//
// A job that a bad row fails is read on for its error file alone: once that is full, no further.
// Its counts are then those of the rows up to there.
//
// An address that the list has several times becomes one recipient, that of the first row, unless
// the job keeps them; counts as they are in store/imports.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "async/runtime.h"
#include "async/task_group.h"
#include "base/bilingual.h"
#include "base/clock.h"
#include "base/trouble.h"
#include "base/turn_queue.h"
#include "intake/intake.h"
#include "intake/limits.h"
#include "intake/uploads.h"
#include "store/store.h"

namespace todoku::intake {

// Imports have threads of their own, few of them: they are patient work, and parsing must not hold
// up a thread that sends. Accounts take turns, and none has all threads: a long list of one lets
// others' lists pass. What was wrong with a list is in memory until its job ends, some 60 MiB of it
// at most while it becomes an archive.
class Importer final : public ImportStarter {
 public:
  // Jobs beyond `jobs_max`, and of one account beyond half of them, wait in the store until those
  // before them are done. A job that the store is not able to take (a full disk) begins again after
  // `retry_after`. While there is nothing to do, jobs that a dead node has left are looked for
  // every `look_every`. Of `threads` one is left to other accounts, where there are several.
  struct Waiting {
    std::size_t jobs_max = 1'000;
    Milliseconds retry_after = std::chrono::seconds(10);
    Milliseconds look_every = std::chrono::seconds(10);
    std::size_t threads = 2;
  };

  // Which node this process is; its jobs are those that it runs.
  using NodeOf = std::function<store::NodeKey()>;

  // `uploads` holds the lists and takes what was wrong with them. `work_arrived` of the handover is
  // called after an import that committed its delivery.
  Importer(store::Store& store, Uploads& uploads, NodeOf node, Limits limits, Handover& handover,
           const Clock& clock, Waiting waiting);
  Importer(store::Store& store, Uploads& uploads, NodeOf node, Limits limits, Handover& handover,
           const Clock& clock)
      : Importer(store, uploads, std::move(node), limits, handover, clock, Waiting{}) {}
  ~Importer() override;

  // Begins with the jobs that an earlier run of this node, or a dead one, left unfinished, from
  // their first row; takes those of nodes that die later, too. Uploads that no job names, such as
  // those that were being received when a process died, are removed before.
  [[nodiscard]] Result<void> start_thread();
  // Ends after the slice at hand; what is unfinished goes on at the next start.
  void stop();

  void start(store::ImportJob job) override;
  void cancelled(const store::ImportJob& job) override;
  void discard(std::vector<std::string> errors) override;
  [[nodiscard]] store::NodeKey node() const override { return node_(); }

 private:
  struct Run;
  using JobKey = std::pair<store::AccountKey, store::PublicId>;
  [[nodiscard]] static JobKey key_of(const store::ImportJob& job) { return {job.account, job.id}; }

  // Jobs, and the names of error files that nobody wants any more.
  using Piece = std::variant<store::ImportJob, std::vector<std::string>>;

  [[nodiscard]] Result<void> sweep_uploads();
  // A job is at most in one place: in the queue, at work, or being taken from the store.
  class Claim;
  void queue(store::ImportJob job, Claim claim);
  void work();
  // False: the job has to be begun again.
  [[nodiscard]] bool do_piece(const Piece& piece);
  // Queues what the store has as running and is not queued yet, from its first row.
  [[nodiscard]] Result<void> take_unfinished();
  // Does so until nothing is left behind or something is queued.
  void catch_up();
  void look_for_others();
  void pause();
  // False: the store could not take it, the job is still running there.
  [[nodiscard]] bool run(const store::ImportJob& job);
  [[nodiscard]] Result<void> look_at_draft(Run& run);
  // The addresses that it has.
  [[nodiscard]] Result<void> read_recipients(Run& run);
  [[nodiscard]] Result<void> guess_encoding(Run& run);
  // Every slice of the file, until `use` is done with it or stop() is called.
  using Use = std::function<Result<bool>(std::string_view octets)>;
  [[nodiscard]] Result<void> each_slice(Run& run, const Use& use);
  [[nodiscard]] Result<void> read_file(Run& run);
  [[nodiscard]] Result<void> read_csv(Run& run);
  [[nodiscard]] Result<void> read_ndjson(Run& run);
  [[nodiscard]] Result<void> take_row(Run& run, struct CsvRow& row);
  [[nodiscard]] Result<void> take_line(Run& run, const struct JsonLine& line);
  [[nodiscard]] Result<void> take_recipient(Run& run, const RecipientRequest& request,
                                            const struct CsvRow& row, Problems problems);
  [[nodiscard]] Result<void> take_header(Run& run, struct CsvRow& row);
  static void check_decoded(const Run& run, const struct CsvRow& row, Problems& problems);
  // invalid_input, for the file as a whole; refuse_file() adds what it may be instead of CSV.
  [[nodiscard]] static std::unexpected<Error> refuse_all(Run& run, BilingualText why);
  [[nodiscard]] static std::unexpected<Error> refuse_file(Run& run, BilingualText why);
  static void refuse_place(Run& run, const struct CsvBadRow& row);
  // Whether one more bad row is told in the error file; of those beyond no text is formed.
  [[nodiscard]] static bool keeps_error(const Run& run);
  // Whether the job has failed whatever follows, and nothing of that would be told.
  [[nodiscard]] static bool is_decided(const Run& run);
  static void add_error(Run& run, std::string_view why, const std::vector<std::string>& fields);
  [[nodiscard]] Result<void> stage(Run& run);
  // Of the recipients at hand, how many the suppression lists stop.
  [[nodiscard]] Result<void> count_in_check(Run& run);
  [[nodiscard]] static Result<void> wait_for_staging(Run& run);
  [[nodiscard]] static std::string findings_of(const Run& run);
  [[nodiscard]] bool end(Run& run, const Result<void>& read);
  [[nodiscard]] bool is_cancelled(const store::ImportJob& job);
  // Of a job that was ended by somebody else.
  void leave(const store::ImportJob& job);

  store::Store& store_;
  Uploads& uploads_;
  const NodeOf node_;
  const Limits limits_;
  Handover& handover_;
  const Clock& clock_;
  const Waiting waiting_;
  Trouble storing_{log::Level::warning, "imports wait for the store, they will begin again",
                   "imports go on"};
  TurnQueue<Piece> jobs_;
  std::mutex mutex_;  // guards the four below
  std::condition_variable stopped_;
  std::set<JobKey> queued_;     // claimed: or at work, or about to be queued
  std::set<JobKey> cancelled_;  // of these
  bool left_behind_ = false;    // jobs that run in the store and are not queued
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace todoku::intake
