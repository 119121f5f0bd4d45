// SPDX-License-Identifier: Apache-2.0
// The writer thread: takes what is queued, runs it in one transaction, commits once with sync for
// all of it, and only then tells who waits. A commit begins when the one before has returned; there
// is no delay to gather more.
//
// A group is what was queued of the urgent priorities (accept, outcomes, claims) when it began.
// Patient work (import, retention) joins a group without an accept; when accepts never cease it
// rests after each turn as long as the turn took, so it gets about half of the time and an accept
// waits for one piece of it at most, or for a short turn and its commit. Every eighth patient turn
// begins with retention.
//
// Hot operations of one kind that wait one behind the other are performed together; if the engine
// refuses, they are repeated in halves (pending.h). A function has a savepoint of its own. So what
// fails is undone alone. What is thrown, memory that was refused above all, is such a failure, or
// that of the whole group; the thread goes on. No group begins while the database file is not where
// its path leads.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "base/forward_clock.h"
#include "base/trouble.h"
#include "store/admission.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/log_capture.h"
#include "store/sqlite/store_lock.h"
#include "store/sqlite/transactions.h"
#include "store/store.h"

namespace todoku::store::sqlite {

class GroupWriter {
 public:
  // All must outlive the writer. The transaction belongs to the writer's thread from start() on.
  // `capture` may be null: nobody ships what is committed.
  GroupWriter(const StoreLock& lock, SqliteWriteTransaction& transaction,
              Checkpointer& checkpointer, const ForwardClock& clock,
              const Admission::Limits& limits, LogCapture* capture);
  ~GroupWriter();
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  void start();
  // Thread-safe; see Store.
  void submit(WritePriority priority, WriteWork work, Done done);
  template <class Op>
  void submit(WritePriority priority, Op op, Answered<Op> done) {
    take(priority, Pending<Op>{std::move(op), std::move(done), {}, 0});
  }
  // Commits what is queued, then ends the thread. Idempotent.
  void stop();
  [[nodiscard]] StoreFigures figures() const;

 private:
  struct Function {
    WriteWork work;
    Done done;
    Result<void> answer;
  };
  using Piece =
      std::variant<Function, Pending<Accept>, Pending<Settle>, Pending<Claim>, Pending<StageRows>>;
  using Queue = std::deque<Piece>;

  void take(WritePriority priority, Piece piece);
  void run();
  // A group up to its commit, or up to where everyone in it shares a failure.
  void perform_group();
  [[nodiscard]] bool wait_for_work();
  void gather_urgent();
  void gather_patient();
  [[nodiscard]] bool patient_may_run(bool accepts) const;
  // Moves the patient piece whose turn it is into the group; false if none waits.
  [[nodiscard]] bool draw_patient();
  [[nodiscard]] bool urgent_waits() const;
  [[nodiscard]] bool begin();
  [[nodiscard]] bool file_in_place();
  void read_clock();
  void refuse_waiting(const Error& error);
  // Moves the first piece of a queue, and those behind it that are performed together with it, into
  // the group; returns how many.
  std::size_t draw(Queue& queue, std::size_t most);
  // Performs the last `count` pieces of the group, which are of one kind.
  void perform_last(std::size_t count);
  void perform(Function& piece);
  template <class Op>
  void perform_together(std::size_t count);
  // Runs `work` under a savepoint.
  template <class Work>
  [[nodiscard]] Result<void> with_savepoint(const Work& work);
  void lose_group(const Error& error, bool in_doubt);
  void lose_group_without_memory() noexcept;
  [[nodiscard]] bool overwrite_lost();
  void tell_frames();  // that a commit has put into the log
  void commit();
  void answer();

  const StoreLock& lock_;
  SqliteWriteTransaction& transaction_;
  Connection& db_;
  Checkpointer& checkpointer_;
  const ForwardClock& clock_;
  LogCapture* const capture_;

  mutable std::mutex mutex_;  // guards what follows, up to admission_
  std::condition_variable filled_;
  std::array<Queue, kWritePriorities> queues_;
  Admission admission_;

  // Of the group at hand; only the writer's thread touches what follows.
  std::deque<Piece> group_;  // a place in it stays where it is
  bool accepts_ = false;
  SteadyInstant accepted_at_{};  // the last of them
  SteadyInstant patient_ended_{};
  Microseconds patient_took_{};
  unsigned patient_turns_ = 0;
  Trouble clock_behind_{log::Level::error,
                        "this machine's clock went back: times are told as if it had not, until "
                        "the engine starts again",
                        "this machine's clock has caught up"};
  Trouble displaced_{log::Level::error, "the database was taken from under the engine",
                     "the database is back in its place"};
  Trouble committing_{log::Level::error, "commits fail", "commits succeed again"};
  std::optional<int> frames_;  // in the log, told by SQLite with a commit that changed something

  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> failed_commits_{0};
  std::atomic<std::int64_t> commit_time_us_{0};
  std::thread thread_;
};

}  // namespace todoku::store::sqlite
