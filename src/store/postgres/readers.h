// SPDX-License-Identifier: Apache-2.0
// The threads that answer questions, over connections that they share with those that write.
#pragma once

#include <memory>
#include <thread>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "store/postgres/connections.h"
#include "store/postgres/perform.h"
#include "store/store.h"

namespace todoku::store::postgres {

class Readers {
 public:
  Readers(Ground ground, Closing& closing, std::size_t queued_max, Milliseconds question_max)
      : ground_(std::move(ground)),
        closing_(closing),
        question_max_(question_max),
        queue_(queued_max) {}
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  void start(std::size_t threads, Connections& connections);
  // Thread-safe; see Store.
  void submit(ReadWork work, Done done);
  void submit(Due due, Answered<Due> done);
  // It waits for no disk (store/bells.h), and so not behind what does.
  void submit(BellWork work, Answered<BellWork> done);
  // Answers what is queued, then ends the threads. Idempotent.
  void stop();

 private:
  struct Question {
    ReadWork work;
    Done done;
    SteadyInstant since{};
  };
  struct DueQuestion {
    Due due;
    Answered<Due> done;
  };
  struct Bells {
    BellWork work;
    Answered<BellWork> done;
  };
  using Piece = std::variant<Question, DueQuestion, Bells>;
  void push(Piece piece);
  void run(Connections& connections);
  // The connection is given back before the answer is told.
  void answer(const Ground& ground, Borrowed& connection, Question& question);
  void answer(const Ground& ground, Borrowed& connection, DueQuestion& question);
  void answer(const Ground& ground, Borrowed& connection, Bells& bells);

  const Ground ground_;
  Closing& closing_;
  const Milliseconds question_max_;
  BoundedQueue<Piece> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace todoku::store::postgres
