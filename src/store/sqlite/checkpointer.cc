// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/checkpointer.h"

#include "base/caught.h"

namespace todoku::store::sqlite {
namespace {

constexpr Milliseconds kReaderPause{20};

struct Moved {
  int code = SQLITE_OK;
  int log = 0;    // pages in the log
  int moved = 0;  // of which are in the database file
};

Moved move_pages(Connection& connection) {
  Moved result;
  result.code = sqlite3_wal_checkpoint_v2(connection.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                          &result.log, &result.moved);
  return result;
}

}  // namespace

Checkpointer::Checkpointer(std::unique_ptr<Connection> worker, std::unique_ptr<Connection> pin,
                           Limits limits, const Clock& clock)
    : worker_(std::move(worker)), pin_(std::move(pin)), limits_(limits), clock_(clock) {}

Checkpointer::~Checkpointer() {
  stop();
}

void Checkpointer::report(int code, std::string_view error) {
  const bool fails = code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY;
  if (fails) {
    trouble_.failed(clock_.steady_now(), {{"error", error}, {"code", code}});
  } else {
    trouble_.worked(clock_.steady_now());
  }
}

void Checkpointer::start() {
  thread_ = std::thread([this] { run(); });
}

void Checkpointer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  worker_.reset();
  pin_.reset();
}

void Checkpointer::committed(std::int64_t frames) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (frames < frames_) {  // the log has begun anew
      rest_wanted_ = false;
      moved_ = 0;
    }
    wake = !unmoved_ ||
           (frames_ < moved_ + limits_.frames_wanted && frames >= moved_ + limits_.frames_wanted);
    frames_ = frames;
    unmoved_ = true;
  }
  if (wake) changed_.notify_one();
}

void Checkpointer::move_rest(Connection& writer) {
  {
    const std::lock_guard lock(mutex_);
    if (!rest_wanted_) return;
  }
  const std::unique_lock running(running_, std::try_to_lock);
  if (!running.owns_lock()) return;
  const Moved moved = move_pages(writer);
  report(moved.code, sqlite3_errmsg(writer.raw()));
  const std::lock_guard lock(mutex_);
  if (moved.code != SQLITE_OK) return;
  moved_ = moved.moved;
  if (moved.moved == moved.log) unmoved_ = false;
  // It stays wanted until the next commit has found nobody reading and begun the log anew.
}

Result<void> Checkpointer::checkpoint() {
  const std::lock_guard running(running_);
  {
    const std::lock_guard lock(mutex_);
    if (!unmoved_) return {};
    unmoved_ = false;  // what is committed from now on asks again
  }
  // Of a checkpoint that threw.
  if (pin_->in_transaction()) sqlite3_exec(pin_->raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  auto pinned = pin_->execute("BEGIN");
  if (pinned) {
    const auto seen = pin_->integer("SELECT count(*) FROM meta");
    if (!seen) pinned = fail(seen.error());
  }
  Moved moved;
  if (pinned) {
    moved = move_pages(*worker_);
    report(moved.code, sqlite3_errmsg(worker_->raw()));
  } else {
    report(SQLITE_ERROR, pinned.error().detail);
  }
  if (pin_->in_transaction()) (void)pin_->execute("COMMIT");

  const std::lock_guard lock(mutex_);
  if (!pinned || moved.code != SQLITE_OK) {
    unmoved_ = true;
    return {};
  }
  moved_ = moved.moved;
  const std::int64_t rest = frames_ - moved.moved;
  if (rest > 0) unmoved_ = true;
  // The writer shall not wait for many pages, unless the log would grow without end.
  const bool short_rest = rest < limits_.frames_wanted / 4;
  if (moved.log >= limits_.frames_max && (short_rest || moved.log >= 4 * limits_.frames_max)) {
    rest_wanted_ = true;
  }
  return {};
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!unmoved_) {
      changed_.wait(lock, [&] { return stopping_ || unmoved_; });
      continue;
    }
    // Lets commits gather, unless the log is too long: then each turn leaves less for the writer.
    const auto enough = [&] {
      return stopping_ || frames_ >= moved_ + limits_.frames_wanted ||
             (frames_ >= limits_.frames_max && !rest_wanted_);
    };
    changed_.wait_for(lock, limits_.idle, enough);
    if (stopping_) return;
    const std::int64_t before = moved_;
    lock.unlock();
    const auto done = caught([this] { return checkpoint(); });
    lock.lock();
    if (!done) unmoved_ = true;
    // A reader is in the way: its question is over soon.
    if (moved_ == before) changed_.wait_for(lock, kReaderPause, [&] { return stopping_; });
  }
}

}  // namespace todoku::store::sqlite
