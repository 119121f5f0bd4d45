// SPDX-License-Identifier: Apache-2.0
// Heavy work of many tasks of one thread, done in a row. A thread that computes for a quarter of a
// millisecond between any two packets wakes the peer for each of them and finds its caches cold
// each time; one that computes for several tasks and then lets all of them go on sends, and is
// answered, in bursts.
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.h"

namespace todoku::async {

class Rounds {
 public:
  // At most `round_max` (>= 1) tasks' work is done without a look at what else became ready.
  Rounds(Executor executor, std::size_t round_max);
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

  // Suspends until `work` was called in a round, after what is ready now; what it throws is thrown
  // here. Rounds come by themselves and soon, so a cancellation does not end the wait. On the
  // executor's thread.
  template <class Work>
  [[nodiscard]] Task<void> join(Work work) {
    constexpr boost::asio::use_awaitable_t<Executor> token;
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                       void(std::exception_ptr)>(
        // `this` only: the lambda stays in the waiting task's frame, which waiting_ holds.
        [this](auto handler, Work given) {
          add(waiting_, {.work = std::move(given), .go_on = std::move(handler)});
        },
        token, std::move(work));
  }

 private:
  struct Entry {
    std::move_only_function<void()> work;
    std::move_only_function<void(std::exception_ptr)> go_on;
  };
  struct Waiting;
  static void add(const std::shared_ptr<Waiting>& waiting, Entry entry);
  static void post(std::shared_ptr<Waiting> waiting);
  static void run(const std::shared_ptr<Waiting>& waiting);

  // Also of the posted round, so that tasks which wait in it end with their io_context.
  std::shared_ptr<Waiting> waiting_;
};

}  // namespace todoku::async
