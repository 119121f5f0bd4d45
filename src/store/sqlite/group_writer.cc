// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/group_writer.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/caught.h"
#include "base/log.h"

namespace todoku::store::sqlite {
namespace {

// How long a group gathers work of one urgent priority, and how long a patient turn may go on.
constexpr Microseconds kUrgentTurnMax{20'000};
constexpr Microseconds kPatientTurnMax{10'000};
// Where mail is accepted now and then, whoever comes next waits for the turn and its commit.
constexpr Microseconds kPatientTurnBesideAcceptsMax{2'000};
constexpr Microseconds kAcceptsGoOn{100'000};

// Operations performed under one savepoint.
constexpr std::size_t kTogetherMax = 64;

constexpr std::array kUrgent{WritePriority::accept, WritePriority::outcomes, WritePriority::claims};

constexpr std::size_t index_of(WritePriority priority) {
  return static_cast<std::size_t>(priority);
}

int note_frames(void* frames, sqlite3*, const char*, int in_log) {
  *static_cast<std::optional<int>*>(frames) = in_log;
  return SQLITE_OK;
}

}  // namespace

GroupWriter::GroupWriter(const StoreLock& lock, SqliteWriteTransaction& transaction,
                         Checkpointer& checkpointer, const ForwardClock& clock,
                         const Admission::Limits& limits, LogCapture* capture)
    : lock_(lock),
      transaction_(transaction),
      db_(transaction.connection()),
      checkpointer_(checkpointer),
      clock_(clock),
      capture_(capture),
      admission_(limits) {
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
    admission_.close();
  }
  filled_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GroupWriter::submit(WritePriority priority, WriteWork work, Done done) {
  take(priority, Function{std::move(work), std::move(done), {}});
}

void GroupWriter::take(WritePriority priority, Piece piece) {
  std::string_view refusal;
  auto* const accept = std::get_if<Pending<Accept>>(&piece);
  if (accept != nullptr) accept->octets = octets_of(accept->op);
  const std::size_t octets = accept == nullptr ? 0 : accept->octets;
  {
    const std::lock_guard lock(mutex_);
    Queue& queue = queues_[index_of(priority)];
    refusal = admission_.refuse(priority, queue.size(), octets);
    if (refusal.empty()) queue.push_back(std::move(piece));
  }
  if (!refusal.empty()) {
    std::visit(
        [&](auto& refused) { refused.done(fail(ErrorKind::unavailable, std::string(refusal))); },
        piece);
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
    const auto performed = caught([this]() -> Result<void> {
      perform_group();
      return {};
    });
    if (!performed) lose_group_without_memory();
    answer();
    (void)caught([this]() -> Result<void> {
      checkpointer_.move_rest(db_);
      return {};
    });
  }
}

void GroupWriter::perform_group() {
  if (!begin()) return;
  gather_urgent();
  if (patient_may_run(accepts_)) gather_patient();
  commit();
}

// False when the store is closing and nothing is left to be done.
bool GroupWriter::wait_for_work() {
  std::unique_lock lock(mutex_);
  const auto queued = [&] {
    return std::ranges::any_of(queues_, [](const Queue& queue) { return !queue.empty(); });
  };
  filled_.wait(lock, [&] { return admission_.closed() || queued(); });
  return queued();
}

bool GroupWriter::begin() {
  // Of a group that was lost for want of memory, when there was none to undo it either.
  if (db_.in_transaction()) sqlite3_exec(db_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  if (!file_in_place()) return false;
  auto begun = db_.query("BEGIN IMMEDIATE").run();
  if (begun) {
    read_clock();
    return true;
  }
  ++failed_commits_;
  committing_.failed(clock_.steady_now(), {{"error", begun.error().detail}});
  refuse_waiting(begun.error());
  return false;
}

// Processes write every few seconds, if only to renew their leases, so this is noticed soon.
// Outcomes are refused too: they are repeated, and meanwhile the file rests and can be copied.
bool GroupWriter::file_in_place() {
  const auto there = lock_.in_place();
  if (there) {
    displaced_.worked(clock_.steady_now());
    return true;
  }
  ++failed_commits_;
  displaced_.failed(clock_.steady_now(), {{"error", there.error().detail}});
  refuse_waiting(there.error());
  return false;
}

void GroupWriter::read_clock() {
  const Instant now = clock_.now();
  const Instant wall = clock_.wall_now();
  transaction_.set_now(now, wall);
  const SteadyInstant steady = clock_.steady_now();
  if (now - wall > ForwardClock::kFollowed) {
    clock_behind_.failed(steady, {{"behind_ms", (now - wall).count()}});
  } else {
    clock_behind_.worked(steady);
  }
}

// Whoever waits is told, so that nothing hangs on a store that cannot be written.
void GroupWriter::refuse_waiting(const Error& error) {
  const std::lock_guard lock(mutex_);
  for (Queue& queue : queues_) {
    while (!queue.empty()) {
      std::visit([&](auto& lost) { lost.answer = fail(error); }, queue.front());
      group_.push_back(std::move(queue.front()));
      queue.pop_front();
    }
  }
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
    while (left > 0) {
      const std::size_t drawn = draw(queue, left);
      left -= drawn;
      if (priority == WritePriority::accept) {
        accepts_ = true;
        accepted_at_ = began;
      }
      perform_last(drawn);
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

bool GroupWriter::draw_patient() {
  const std::lock_guard lock(mutex_);
  std::array order{index_of(WritePriority::import), index_of(WritePriority::retention)};
  if (patient_turns_ % 8 == 7) std::swap(order[0], order[1]);
  for (const std::size_t index : order) {
    if (queues_[index].empty()) continue;
    group_.push_back(std::move(queues_[index].front()));
    queues_[index].pop_front();
    ++patient_turns_;
    return true;
  }
  return false;
}

void GroupWriter::gather_patient() {
  const SteadyInstant began = clock_.steady_now();
  if (!draw_patient()) return;
  const Microseconds most =
      began - accepted_at_ < kAcceptsGoOn ? kPatientTurnBesideAcceptsMax : kPatientTurnMax;
  do {
    perform_last(1);
    // Who accepted mail in this group waits for its commit: one piece is enough.
    if (accepts_ || urgent_waits() || clock_.steady_now() - began > most) break;
  } while (draw_patient());
  patient_ended_ = clock_.steady_now();
  patient_took_ = patient_ended_ - began;
}

std::size_t GroupWriter::draw(Queue& queue, std::size_t most) {
  const std::lock_guard lock(mutex_);
  const std::size_t kind = queue.front().index();
  const bool alone = std::holds_alternative<Function>(queue.front());
  const std::size_t together = std::min(most, alone ? 1 : kTogetherMax);
  std::size_t drawn = 0;
  while (drawn < together && queue.front().index() == kind) {
    group_.push_back(std::move(queue.front()));
    queue.pop_front();
    ++drawn;
    if (queue.empty()) break;
  }
  return drawn;
}

void GroupWriter::perform_last(std::size_t count) {
  std::visit(
      [&](auto& piece) {
        if constexpr (std::is_same_v<decltype(piece), Function&>) {
          perform(piece);
        } else {
          perform_together<typename std::remove_reference_t<decltype(piece)>::Operation>(count);
        }
      },
      group_[group_.size() - count]);
}

template <class Work>
Result<void> GroupWriter::with_savepoint(const Work& work) {
  if (!db_.in_transaction()) {
    // SQLite gave up the transaction because of an earlier piece: its group is lost already.
    return fail(ErrorKind::unavailable, "the transaction was given up; try again");
  }
  const auto before = transaction_.mark();
  auto result = db_.query("SAVEPOINT piece").run();
  if (result) result = caught(work);
  if (result) result = db_.query("RELEASE piece").run();
  if (result) return result;
  if (db_.in_transaction()) {
    auto undone = db_.query("ROLLBACK TO piece").run();
    if (undone) undone = db_.query("RELEASE piece").run();
    transaction_.rolled_back(before);
    if (undone) return result;
  }
  // The disk or the memory failed underneath: SQLite has undone, or must now undo, everything.
  lose_group(result.error(), false);
  return result;
}

void GroupWriter::perform(Function& piece) {
  piece.answer = with_savepoint([&] { return piece.work(transaction_); });
}

template <class Op>
void GroupWriter::perform_together(std::size_t count) {
  std::vector<Pending<Op>*> items;
  items.reserve(count);
  for (std::size_t i = group_.size() - count; i < group_.size(); ++i) {
    items.push_back(&std::get<Pending<Op>>(group_[i]));
  }
  in_halves<Op>(
      Together<Op>(items),
      [this](Together<Op> some) {
        return with_savepoint([&] { return transaction_.perform(some); });
      },
      [this] { return !db_.in_transaction(); });
}

// Nothing of the group is stored, and everyone in it is told so.
void GroupWriter::lose_group(const Error& error, bool in_doubt) {
  if (db_.in_transaction()) (void)db_.execute("ROLLBACK");
  transaction_.lost(in_doubt);
  for (Piece& piece : group_) {
    std::visit(
        [&](auto& lost) {
          if (lost.answer) lost.answer = fail(error);
        },
        piece);
  }
}

// The same when something threw on the way: what was drawn is told so, what still waits is not
// touched. Where not even one piece could be drawn, the first that waits is, or it would be for
// ever.
void GroupWriter::lose_group_without_memory() noexcept {
  if (db_.in_transaction()) sqlite3_exec(db_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  (void)caught([this]() -> Result<void> {
    transaction_.lost(true);  // it may have been the commit's own failure that could not be told
    return {};
  });
  ++failed_commits_;
  committing_.failed(clock_.steady_now(), {{"error", out_of_memory().detail}});
  for (Piece& piece : group_) {
    std::visit([](auto& lost) { lost.answer = fail(out_of_memory()); }, piece);
  }
  if (!group_.empty()) return;
  std::optional<Piece> first;
  {
    const std::lock_guard lock(mutex_);
    for (Queue& queue : queues_) {
      if (queue.empty()) continue;
      first.emplace(std::move(queue.front()));
      queue.pop_front();
      if (const auto* const accept = std::get_if<Pending<Accept>>(&*first)) {
        admission_.let_go(accept->octets);
      }
      break;
    }
  }
  if (!first) return;
  (void)caught([&]() -> Result<void> {
    std::visit([](auto& refused) { refused.done(fail(out_of_memory())); }, *first);
    return {};
  });
}

// A commit whose sync failed may be whole in the log, and a crash now would bring it back although
// everyone was told that it failed. The next commit takes its place there. False if that fails too:
// then it is not known what a crash would find.
bool GroupWriter::overwrite_lost() {
  frames_.reset();
  auto done = db_.execute("BEGIN IMMEDIATE");
  if (done) {
    done = db_.execute(
        "INSERT INTO meta(name, value) VALUES('lost_commits', 1)"
        " ON CONFLICT(name) DO UPDATE SET value = value + 1");
  }
  if (done) done = db_.execute("COMMIT");
  if (!done && db_.in_transaction()) (void)db_.execute("ROLLBACK");
  if (done) tell_frames();
  return done.has_value();
}

// Before the next transaction, which may begin the log anew.
void GroupWriter::tell_frames() {
  if (!frames_) return;
  if (capture_ != nullptr) capture_->committed(*frames_, clock_.now());
  checkpointer_.committed(*frames_);
}

void GroupWriter::commit() {
  if (!db_.in_transaction()) {
    ++failed_commits_;
    return;
  }
  if (auto told = transaction_.write_events(); !told) {
    ++failed_commits_;
    committing_.failed(clock_.steady_now(), {{"error", told.error().detail}});
    lose_group(told.error(), false);
    return;
  }
  const SteadyInstant began = clock_.steady_now();
  frames_.reset();
  auto committed = db_.query("COMMIT").run();
  commit_time_us_ += (clock_.steady_now() - began).count();
  if (!committed) {
    ++failed_commits_;
    committing_.failed(clock_.steady_now(), {{"error", committed.error().detail}});
    // Unless its octets are overwritten, a crash may find a commit that failed.
    if (db_.in_transaction()) (void)db_.execute("ROLLBACK");
    const bool in_doubt = committed.error().kind == ErrorKind::io && !overwrite_lost();
    Error told = committed.error();
    if (!in_doubt && told.kind == ErrorKind::io) told.kind = ErrorKind::unavailable;
    lose_group(told, in_doubt);
    return;
  }
  ++commits_;
  (void)caught([this]() -> Result<void> {  // stored it is, whatever happens here
    transaction_.committed();
    return {};
  });
  committing_.worked(clock_.steady_now());
  writes_ += static_cast<std::uint64_t>(std::ranges::count_if(group_, [](const Piece& piece) {
    return std::visit([](const auto& written) { return written.answer.has_value(); }, piece);
  }));
  tell_frames();
}

void GroupWriter::answer() {
  {
    const std::lock_guard lock(mutex_);
    for (const Piece& piece : group_) {
      if (const auto* const accept = std::get_if<Pending<Accept>>(&piece)) {
        admission_.let_go(accept->octets);
      }
    }
  }
  for (Piece& piece : group_) {
    std::visit(
        [](auto& answered) {
          if constexpr (std::is_same_v<decltype(answered), Pending<Accept>&>) {
            // Only now: until here it might have been repeated.
            if (answered.answer) answered.answer->content = std::move(answered.op.delivery.content);
          }
          // What an owner throws is its own loss: the others are told all the same.
          (void)caught([&]() -> Result<void> {
            answered.done(std::move(answered.answer));
            return {};
          });
        },
        piece);
  }
  group_.clear();
}

}  // namespace todoku::store::sqlite
