// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "async/callback.h"
#include "async/rounds.h"
#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace todoku::async {
namespace {

Task<void> await_another_thread(int& got, std::thread& other) {
  got = co_await from_callback<int>([&other](Callback<int> done) {
    other = std::thread([done = std::move(done)]() mutable { done(42); });
  });
}

TEST(FromCallback, ResumesWithTheValueOfAnotherThread) {
  int got = 0;
  std::thread other;
  run_to_completion(await_another_thread(got, other));
  other.join();
  EXPECT_EQ(got, 42);
}

Task<void> sleep_long(bool& woke_early) {
  const bool full = co_await sleep_for(std::chrono::hours(1));
  woke_early = !full;
}

Task<void> start_and_stop(TaskGroup& group, bool& woke_early) {
  group.spawn("sleeper", sleep_long(woke_early));
  co_await sleep_for(Microseconds(1));
  co_await group.stop();
}

Task<void> stop_a_sleeper(bool& woke_early) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  co_await start_and_stop(group, woke_early);
}

TEST(TaskGroup, StopEndsWhatWaits) {
  bool woke_early = false;
  run_to_completion(stop_a_sleeper(woke_early));
  EXPECT_TRUE(woke_early);
}

Task<void> spawn_another(TaskGroup& group, int& ended, bool& late) {
  co_await sleep_for(std::chrono::hours(1));
  group.spawn("late", sleep_long(late));
  ++ended;
  // A cancelled task may go on waiting for what it has to tidy up.
  co_await sleep_for(Microseconds(1));
  ++ended;
}

Task<void> spawn_while_stopping(int& ended, bool& late) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn("first", spawn_another(group, ended, late));
  co_await sleep_for(Microseconds(1));
  co_await group.stop();
}

TEST(TaskGroup, StoppingIsNoException) {
  int ended = 0;
  bool late = false;
  run_to_completion(spawn_while_stopping(ended, late));
  EXPECT_TRUE(late);
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(unhandled_exceptions(), 0U);
}

Task<void> use_signal(bool& kept, bool& timed_out) {
  Signal signal(co_await boost::asio::this_coro::executor);
  signal.notify();
  kept = co_await signal.wait();
  const bool notified = co_await signal.wait_until(SteadyInstant{});
  timed_out = !notified;
}

TEST(Signal, KeepsANotificationForTheNextWaiter) {
  bool kept = false;
  bool timed_out = false;
  run_to_completion(use_signal(kept, timed_out));
  EXPECT_TRUE(kept);
  EXPECT_TRUE(timed_out);
}

struct RoundStory {
  std::string events;
  std::vector<std::exception_ptr> thrown;
};

Task<void> join_round(Rounds& rounds, RoundStory& story, char name) {
  story.events += name;
  try {
    co_await rounds.join([&story, name] {
      story.events += '(';
      if (name == 'x') throw std::runtime_error("spoilt");
    });
  } catch (...) {
    story.thrown.push_back(std::current_exception());
  }
  story.events += ')';
  story.events += name;
}

std::string events_of_a_round(std::string_view names, std::size_t round_max, RoundStory& story) {
  boost::asio::io_context context(1);
  Rounds rounds(context.get_executor(), round_max);
  for (const char name : names) {
    boost::asio::co_spawn(context, join_round(rounds, story, name), boost::asio::detached);
  }
  context.run();
  return story.events;
}

TEST(Rounds, DoTheWorkOfAllThatAreReadyBeforeAnyOfThemGoesOn) {
  RoundStory story;
  EXPECT_EQ(events_of_a_round("abc", 8, story), "abc((()a)b)c");
}

TEST(Rounds, LookUpAfterAsMuchAsFitsOneRound) {
  RoundStory story;
  EXPECT_EQ(events_of_a_round("abcde", 2, story), "abcde(()a)b(()c)d()e");
}

TEST(Rounds, ThrowWhereTheWorkBelongsAndSpareTheOthers) {
  RoundStory story;
  EXPECT_EQ(events_of_a_round("axc", 8, story), "axc((()a)x)c");
  ASSERT_EQ(story.thrown.size(), 1U);
  EXPECT_THROW(std::rethrow_exception(story.thrown[0]), std::runtime_error);
}

TEST(Rounds, TasksThatWaitEndWithTheirContext) {
  RoundStory story;
  {
    boost::asio::io_context context(1);
    Rounds rounds(context.get_executor(), 8);
    boost::asio::co_spawn(context, join_round(rounds, story, 'a'), boost::asio::detached);
    context.poll_one();
    EXPECT_EQ(story.events, "a") << "the round is still to come";
  }
  EXPECT_EQ(story.events, "a");
}

Task<std::thread::id> this_thread() {
  co_return std::this_thread::get_id();
}

Task<void> hop(Executor there, std::thread::id& id_there, std::thread::id& id_after) {
  id_there = co_await run_on(there, this_thread());
  id_after = std::this_thread::get_id();
}

TEST(RunOn, RunsThereAndComesBack) {
  Runtime runtime(2);
  runtime.start();
  std::thread::id id_there;
  std::thread::id id_after;
  run_to_completion(hop(runtime.executor(1), id_there, id_after));
  EXPECT_EQ(id_after, std::this_thread::get_id());
  EXPECT_NE(id_there, id_after);
  runtime.join();
}

Task<void> visit(Executor there, std::thread::id& id_there) {
  id_there = co_await run_on(there, this_thread());
}

// Runs what is ready; true if there was anything.
bool poll(Runtime& runtime, std::size_t thread) {
  return runtime.context(thread).poll() > 0;
}

TEST(RunOn, ACancellationMayArriveAfterTheEnd) {
  Runtime runtime(2);  // not started: this test says which thread does something next
  TaskGroup group(runtime.executor(0));
  std::thread::id id_there;
  group.spawn("visitor", visit(runtime.executor(1), id_there));
  EXPECT_TRUE(poll(runtime, 0)) << "the visitor sets out";
  boost::asio::post(runtime.executor(0), [&group] { group.cancel(); });
  EXPECT_TRUE(poll(runtime, 1)) << "the task there ends";
  EXPECT_TRUE(poll(runtime, 0)) << "cancelled, then back and at its end";
  EXPECT_EQ(group.size(), 0U);
  EXPECT_TRUE(poll(runtime, 1)) << "the cancellation arrives";
  EXPECT_EQ(id_there, std::this_thread::get_id());
}

Task<void> sleep_there(Executor there, bool& woke_early) {
  co_await run_on(there, sleep_long(woke_early));
}

TEST(RunOn, CancellationTravelsAlong) {
  Runtime runtime(2);
  TaskGroup group(runtime.executor(0));
  bool woke_early = false;
  group.spawn("visitor", sleep_there(runtime.executor(1), woke_early));
  poll(runtime, 0);
  poll(runtime, 1);
  boost::asio::post(runtime.executor(0), [&group] { group.cancel(); });
  poll(runtime, 0);
  poll(runtime, 1);
  poll(runtime, 0);
  EXPECT_TRUE(woke_early);
  EXPECT_EQ(group.size(), 0U);
}

}  // namespace
}  // namespace todoku::async
