// SPDX-License-Identifier: Apache-2.0
// Heavy work of many tasks of one thread, done in a row. A thread that computes for a quarter of a
// millisecond between any two packets wakes the peer for each of them and finds its caches cold
// each time; one that computes for several tasks and then lets all of them go on sends, and is
// answered, in bursts. And what several tasks need may be cheaper to compute together: a round may
// wait a moment for company.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.h"
#include "async/timer_clock.h"
#include "base/clock.h"

namespace todoku::async {

struct RoundsState;

class Rounds {
 public:
  struct Size {
    std::size_t max = 1;         // tasks that are served without a look at what else became ready
    std::size_t worthwhile = 1;  // company is not waited for where fewer could come together
  };
  // `max` >= 1.
  Rounds(Executor executor, Size size);
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

  // Announces, while it lives, a task that will join again and again: waiting for it makes sense.
  class Member {
   public:
    explicit Member(Rounds& rounds);
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    ~Member();

   private:
    std::shared_ptr<RoundsState> state_;
  };

  // Suspends until `begin` and then `finish` were called in a round, which begins after what is
  // ready now, and `patience` later at most, but once it is full or all members are here. All
  // begins of a round come before all its finishes, so these can use what those gathered. What
  // either throws is thrown here; a begin that throws has no finish. Rounds come by themselves and
  // soon, so a cancellation does not end the wait. On the executor's thread.
  template <class Begin, class Finish>
  [[nodiscard]] Task<void> join(Begin begin, Finish finish, Microseconds patience) {
    constexpr boost::asio::use_awaitable_t<Executor> token;
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                       void(std::exception_ptr)>(
        // `this` only: the lambda stays in the waiting task's frame, which the state holds.
        [this, patience](auto handler, Begin first, Finish second) {
          add({.begin = std::move(first), .finish = std::move(second), .go_on = std::move(handler)},
              patience);
        },
        token, std::move(begin), std::move(finish));
  }

 private:
  friend struct RoundsState;
  struct Entry {
    std::move_only_function<void()> begin;
    std::move_only_function<void()> finish;
    std::move_only_function<void(std::exception_ptr)> go_on;
    TimerClock::time_point latest;  // when its round begins
  };
  void add(Entry entry, Microseconds patience);

  // Also of a round that is to come, so that tasks which wait in it end with their io_context.
  std::shared_ptr<RoundsState> state_;
};

}  // namespace todoku::async
