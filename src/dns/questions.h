// SPDX-License-Identifier: Apache-2.0
// Several questions asked at once, and the wait for all of them.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "async/runtime.h"
#include "async/task.h"
#include "async/timer.h"
#include "base/result.h"

namespace todoku::dns {

// What is asked together, with the places for its answers: the questions own it together with the
// asker, who may be cancelled before they end. Of one executor.
template <class Answers>
struct Questions {
  explicit Questions(const async::Executor& executor, Answers places = {})
      : answers(std::move(places)), answered(executor) {}
  Answers answers;
  std::size_t open = 0;
  async::Signal answered;  // all of them
};

// Puts the answer to `question` where `place` says, which is in `questions->answers` and stays
// there.
template <class Answers, class T>
void ask(const async::Executor& executor, const std::shared_ptr<Questions<Answers>>& questions,
         Task<Result<T>> question, Result<T>* place) {
  ++questions->open;
  auto done = [questions, place](const std::exception_ptr& thrown, Result<T> answer) {
    *place = thrown ? fail(ErrorKind::unavailable, "the look-up broke off") : std::move(answer);
    if (--questions->open == 0) questions->answered.notify();
  };
  boost::asio::co_spawn(executor, std::move(question), std::move(done));
}

}  // namespace todoku::dns
