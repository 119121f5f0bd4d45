// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/group_writer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace todoku::store::sqlite {
namespace {

// How long a group gathers work of one urgent priority, and how long a patient turn may go on.
constexpr Microseconds kUrgentTurnMax{20'000};
constexpr Microseconds kPatientTurnMax{10'000};

constexpr std::array kUrgent{WritePriority::accept, WritePriority::outcomes, WritePriority::claims};

constexpr std::size_t index_of(WritePriority priority) {
  return static_cast<std::size_t>(priority);
}

int note_frames(void* frames, sqlite3*, const char*, int in_log) {
  *static_cast<std::optional<int>*>(frames) = in_log;
  return SQLITE_OK;
}

}  // namespace

GroupWriter::GroupWriter(SqliteWriteTransaction& transaction, Checkpointer& checkpointer,
                         const Clock& clock, const Limits& queued_max)
    : transaction_(transaction),
      db_(transaction.connection()),
      checkpointer_(checkpointer),
      clock_(clock),
      queued_max_(queued_max) {
  sqlite3_wal_hook(db_.raw(), note_frames, &frames_);
}

GroupWriter::~GroupWriter() {
  stop();
}

void GroupWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void GroupWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  filled_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GroupWriter::submit(WritePriority priority, WriteWork work, Done done) {
  std::string_view refusal;
  {
    const std::lock_guard lock(mutex_);
    Queue& queue = queues_[index_of(priority)];
    if (stopping_) {
      refusal = "the store is closing";
    } else if (queue.size() >= queued_max_[index_of(priority)]) {
      refusal = "too much is waiting to be written";
    } else {
      queue.push_back({std::move(work), std::move(done), {}});
    }
  }
  if (!refusal.empty()) {
    done(fail(ErrorKind::unavailable, std::string(refusal)));
    return;
  }
  filled_.notify_one();
}

StoreFigures GroupWriter::figures() const {
  StoreFigures figures;
  figures.commits = commits_;
  figures.writes = writes_;
  figures.failed_commits = failed_commits_;
  figures.commit_time = Microseconds(commit_time_us_.load());
  const std::lock_guard lock(mutex_);
  for (const Queue& queue : queues_) figures.queued += queue.size();
  return figures;
}

void GroupWriter::run() {
  while (wait_for_work()) {
    accepts_ = false;
    if (begin()) {
      gather_urgent();
      if (patient_may_run(accepts_)) gather_patient();
      commit();
    }
    answer();
    checkpointer_.move_rest(db_);
  }
}

// False when the store is closing and nothing is left to be done.
bool GroupWriter::wait_for_work() {
  std::unique_lock lock(mutex_);
  const auto queued = [&] {
    return std::ranges::any_of(queues_, [](const Queue& queue) { return !queue.empty(); });
  };
  filled_.wait(lock, [&] { return stopping_ || queued(); });
  return queued();
}

bool GroupWriter::begin() {
  auto begun = db_.query("BEGIN IMMEDIATE").run();
  if (begun) return true;
  // Whoever waits is told, so that nothing hangs on a store that cannot be written.
  std::array<Queue, kWritePriorities> waiting;
  {
    const std::lock_guard lock(mutex_);
    std::swap(waiting, queues_);
  }
  for (Queue& queue : waiting) {
    for (Piece& piece : queue) {
      piece.result = fail(begun.error());
      group_.push_back(std::move(piece));
    }
  }
  ++failed_commits_;
  return false;
}

void GroupWriter::gather_urgent() {
  for (const WritePriority priority : kUrgent) {
    Queue& queue = queues_[index_of(priority)];
    const SteadyInstant began = clock_.steady_now();
    std::size_t left = 0;
    {
      const std::lock_guard lock(mutex_);
      left = queue.size();
    }
    while (left-- > 0) {
      std::optional<Piece> piece;
      {
        const std::lock_guard lock(mutex_);
        piece = std::move(queue.front());
        queue.pop_front();
      }
      if (priority == WritePriority::accept) accepts_ = true;
      perform(std::move(*piece));
      if (clock_.steady_now() - began > kUrgentTurnMax) break;
    }
  }
}

bool GroupWriter::patient_may_run(bool accepts) const {
  return !accepts || clock_.steady_now() - patient_ended_ >= patient_took_;
}

bool GroupWriter::urgent_waits() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(
      kUrgent, [&](WritePriority priority) { return !queues_[index_of(priority)].empty(); });
}

std::optional<GroupWriter::Piece> GroupWriter::take_patient() {
  const std::lock_guard lock(mutex_);
  std::array order{index_of(WritePriority::import), index_of(WritePriority::retention)};
  if (patient_turns_ % 8 == 7) std::swap(order[0], order[1]);
  for (const std::size_t index : order) {
    if (queues_[index].empty()) continue;
    std::optional<Piece> piece(std::move(queues_[index].front()));
    queues_[index].pop_front();
    ++patient_turns_;
    return piece;
  }
  return std::nullopt;
}

void GroupWriter::gather_patient() {
  const SteadyInstant began = clock_.steady_now();
  auto piece = take_patient();
  if (!piece) return;
  while (piece) {
    perform(std::move(*piece));
    // Who accepted mail in this group waits for its commit: one piece is enough.
    if (accepts_ || urgent_waits() || clock_.steady_now() - began > kPatientTurnMax) break;
    piece = take_patient();
  }
  patient_ended_ = clock_.steady_now();
  patient_took_ = patient_ended_ - began;
}

void GroupWriter::perform(Piece piece) {
  if (!db_.in_transaction()) {
    // SQLite gave up the transaction because of an earlier piece: its group is lost already.
    piece.result = fail(ErrorKind::unavailable, "the transaction was given up; try again");
    group_.push_back(std::move(piece));
    return;
  }
  const auto before = transaction_.pending();
  auto saved = db_.query("SAVEPOINT piece").run();
  piece.result = saved ? piece.work(transaction_) : std::move(saved);
  if (piece.result) {
    piece.result = db_.query("RELEASE piece").run();
  }
  if (!piece.result) undo(piece, before);
  group_.push_back(std::move(piece));
}

void GroupWriter::undo(Piece& piece, const SqliteWriteTransaction::Pending& before) {
  if (db_.in_transaction()) {
    auto undone = db_.query("ROLLBACK TO piece").run();
    if (undone) undone = db_.query("RELEASE piece").run();
    transaction_.rolled_back(before);
    if (undone) return;
  }
  // The disk or the memory failed underneath: SQLite has undone, or must now undo, everything.
  lose_group(piece.result.error());
}

// Nothing of the group is stored, and everyone in it is told so.
void GroupWriter::lose_group(const Error& error) {
  if (db_.in_transaction()) (void)db_.execute("ROLLBACK");
  transaction_.rolled_back({});
  for (Piece& piece : group_) {
    if (piece.result) piece.result = fail(error);
  }
}

// A commit whose sync failed may be whole in the log, and a crash now would bring it back although
// everyone was told that it failed. The next commit takes its place there. False if that fails too:
// then it is not known what a crash would find.
bool GroupWriter::overwrite_lost() {
  auto done = db_.execute("BEGIN IMMEDIATE");
  if (done) {
    done = db_.execute(
        "INSERT INTO meta(name, value) VALUES('lost_commits', 1)"
        " ON CONFLICT(name) DO UPDATE SET value = value + 1");
  }
  if (done) done = db_.execute("COMMIT");
  if (!done && db_.in_transaction()) (void)db_.execute("ROLLBACK");
  return done.has_value();
}

void GroupWriter::commit() {
  if (!db_.in_transaction()) {
    ++failed_commits_;
    return;
  }
  const SteadyInstant began = clock_.steady_now();
  frames_.reset();
  auto committed = transaction_.store_figures();
  if (committed) committed = db_.query("COMMIT").run();
  commit_time_us_ += (clock_.steady_now() - began).count();
  if (!committed) {
    ++failed_commits_;
    if (!failing_) log::error("commits fail", {{"error", committed.error().detail}});
    failing_ = true;
    lose_group(committed.error());
    if (committed.error().kind == ErrorKind::io && overwrite_lost()) {
      for (Piece& piece : group_) {
        if (!piece.result) piece.result.error().kind = ErrorKind::unavailable;
      }
    }
    return;
  }
  transaction_.committed();
  ++commits_;
  if (std::exchange(failing_, false)) log::info("commits succeed again");
  writes_ += static_cast<std::uint64_t>(
      std::ranges::count_if(group_, [](const Piece& piece) { return piece.result.has_value(); }));
  if (frames_) checkpointer_.committed(*frames_);
}

void GroupWriter::answer() {
  for (Piece& piece : group_) piece.done(std::move(piece.result));
  group_.clear();
}

}  // namespace todoku::store::sqlite
