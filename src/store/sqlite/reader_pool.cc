// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/reader_pool.h"

#include "base/caught.h"

namespace todoku::store::sqlite {
namespace {

// How many steps of SQLite's machine pass between two looks at the time: well below 1 ms.
constexpr int kStepsBetweenLooks = 10'000;

}  // namespace

struct ReaderPool::Reader {
  Reader(std::unique_ptr<Connection> db, const LiveFigures& figures, AddressHash hash,
         const Clock& its_clock)
      : connection(std::move(db)), transaction(*connection, figures, hash), clock(its_clock) {
    sqlite3_progress_handler(connection->raw(), kStepsBetweenLooks, &Reader::look, this);
  }

  // Nonzero interrupts the statement.
  static int look(void* self) {
    const auto* reader = static_cast<Reader*>(self);
    return reader->clock.steady_now() > reader->deadline ? 1 : 0;
  }

  std::unique_ptr<Connection> connection;
  SqliteReadTransaction transaction;
  const Clock& clock;
  SteadyInstant deadline = SteadyInstant::max();
};

ReaderPool::ReaderPool(std::vector<std::unique_ptr<Connection>> connections,
                       const LiveFigures& figures, AddressHash hash, const ForwardClock& clock,
                       Limits limits)
    : clock_(clock), limits_(limits), queue_(limits.queued_max) {
  for (auto& connection : connections) {
    readers_.push_back(std::make_unique<Reader>(std::move(connection), figures, hash, clock));
  }
}

ReaderPool::~ReaderPool() {
  stop();
}

void ReaderPool::start(ReadAhead* ahead) {
  for (auto& reader : readers_) {
    reader->transaction.queries().read_ahead_by(ahead);
    threads_.emplace_back([this, &reader] { run(*reader); });
  }
}

void ReaderPool::stop() {
  queue_.close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  readers_.clear();
}

void ReaderPool::submit(Work work, Done done) {
  Question question{std::move(work), std::move(done)};
  if (!queue_.try_push(std::move(question))) {
    question.done(fail(ErrorKind::unavailable, "too many questions are waiting"));
  }
}

void ReaderPool::run(Reader& reader) {
  while (auto question = queue_.pop()) {
    auto result = caught([&] { return answer(reader, question->work); });
    // What an owner throws is its own loss: the thread goes on.
    (void)caught([&]() -> Result<void> {
      question->done(std::move(result));
      return {};
    });
  }
}

Result<void> ReaderPool::answer(Reader& reader, Work& work) {
  reader.deadline = clock_.steady_now() + limits_.question_max;
  Connection& db = *reader.connection;
  // Of a question that threw, when there was no memory to end it either.
  if (db.in_transaction()) sqlite3_exec(db.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  auto result = db.query("BEGIN").run();
  reader.transaction.set_now(clock_.now(), clock_.wall_now());
  if (result) result = caught([&] { return work(reader.transaction); });
  reader.deadline = SteadyInstant::max();
  if (db.in_transaction()) {
    auto ended = db.query("COMMIT").run();
    if (!ended && db.in_transaction()) (void)db.execute("ROLLBACK");
  }
  return result;
}

}  // namespace todoku::store::sqlite
