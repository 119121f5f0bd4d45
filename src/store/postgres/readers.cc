// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/readers.h"

#include <utility>

#include "base/caught.h"

namespace todoku::store::postgres {
namespace {

// A question that has waited longer than this behind others is not asked any more.
constexpr Milliseconds kQuestionWaits{2'500};

}  // namespace

Readers::~Readers() {
  stop();
}

void Readers::start(std::size_t threads, Connections& connections) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, &connections] { run(connections); });
  }
}

void Readers::stop() {
  queue_.close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Readers::submit(ReadWork work, Done done) {
  push(Question{std::move(work), std::move(done), SystemClock().steady_now()});
}

void Readers::submit(Due due, Answered<Due> done) {
  push(DueQuestion{std::move(due), std::move(done)});
}

void Readers::submit(BellWork work, Answered<BellWork> done) {
  push(Bells{std::move(work), std::move(done)});
}

void Readers::push(Piece piece) {
  if (queue_.try_push(std::move(piece))) return;
  std::visit(
      [](auto& refused) {
        refused.done(fail(ErrorKind::unavailable, "too many questions are waiting"));
      },
      piece);
}

void Readers::run(Connections& connections) {
  Borrowed connection(connections);
  Ground ground = ground_;
  ground.link = [&connection](Use use, SteadyInstant until) { return connection.get(use, until); };
  ground.pause = [this, &connection](int tries) { return closing_.wait(connection.pause(tries)); };
  while (auto piece = queue_.pop()) {
    // Each is answered whatever is thrown on the way (answer()); this is for the thread.
    (void)caught([&]() -> Result<void> {
      std::visit([&](auto& question) { answer(ground, connection, question); }, *piece);
      return {};
    });
  }
}

void Readers::answer(const Ground& ground, Borrowed& connection, Question& question) {
  auto result = caught([&]() -> Result<void> {
    if (SystemClock().steady_now() - question.since > kQuestionWaits) {
      return fail(ErrorKind::unavailable, "the database holds up what is asked of it");
    }
    return answer_question(ground, question.work, question_max_);
  });
  connection.give_back();
  // What an owner throws is its own loss: the thread goes on.
  (void)caught([&]() -> Result<void> {
    question.done(std::move(result));
    return {};
  });
}

void Readers::answer(const Ground& ground, Borrowed& connection, DueQuestion& question) {
  auto result = caught([&]() -> Result<DueDomains> {
    const auto ask = [&]() -> Result<DueDomains> {
      auto link = ground.link(Use::question, SteadyInstant::max());
      if (!link) return fail(std::move(link.error()));
      return find_due(**link, question.due, ground.time().now, question_max_);
    };
    auto found = ask();
    // An old connection that broke while nobody looked: once more over a new one.
    if (!found && found.error().kind == ErrorKind::unavailable) found = ask();
    return found;
  });
  connection.give_back();
  (void)caught([&]() -> Result<void> {
    question.done(std::move(result));
    return {};
  });
}

void Readers::answer(const Ground& ground, Borrowed& connection, Bells& bells) {
  auto result = caught([&]() -> Result<BellsHeard> {
    const auto perform = [&]() -> Result<BellsHeard> {
      auto link = ground.link(Use::question, SteadyInstant::max());
      if (!link) return fail(std::move(link.error()));
      return perform_bells(**link, bells.work, ground.time().now, question_max_);
    };
    auto heard = perform();
    // As above; what may have been done already does no harm a second time.
    if (!heard && heard.error().kind == ErrorKind::unavailable) heard = perform();
    return heard;
  });
  connection.give_back();
  (void)caught([&]() -> Result<void> {
    bells.done(std::move(result));
    return {};
  });
}

}  // namespace todoku::store::postgres
