// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "async/callback.h"
#include "async/no_kernel_timers.h"
#include "async/pulse.h"
#include "async/rounds.h"
#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace todoku::async {
namespace {

using namespace std::chrono_literals;

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

Task<void> await_what_throws(std::string& caught, bool after_taking) {
  Callback<int> kept;
  try {
    (void)co_await from_callback<int>([&](Callback<int> done) {
      if (after_taking) kept = std::move(done);
      throw std::runtime_error("as asked for");
    });
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  if (kept) kept(1);  // too late: nobody waits any more
}

TEST(FromCallback, ThrowsWhatItsBeginningThrows) {
  for (const bool after_taking : {false, true}) {
    std::string caught;
    run_to_completion(await_what_throws(caught, after_taking));
    EXPECT_EQ(caught, "as asked for");
  }
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
  const std::size_t thrown_before = unhandled_exceptions();
  int ended = 0;
  bool late = false;
  run_to_completion(spawn_while_stopping(ended, late));
  EXPECT_TRUE(late);
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(unhandled_exceptions(), thrown_before);
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

Task<void> join_round(Rounds& rounds, RoundStory& story, char name,
                      Microseconds patience = Microseconds(0)) {
  story.events += name;
  try {
    co_await rounds.join(
        [&story, name] {
          story.events += '(';
          if (name == 'x') throw std::runtime_error("spoilt");
        },
        [&story, name] {
          story.events += '/';
          if (name == 'y') throw std::runtime_error("spoilt");
        },
        patience);
  } catch (...) {
    story.thrown.push_back(std::current_exception());
  }
  story.events += ')';
  story.events += name;
}

std::string events_of_a_round(std::string_view names, std::size_t round_max, RoundStory& story) {
  boost::asio::io_context context(1);
  Rounds rounds(context.get_executor(), {.max = round_max});
  for (const char name : names) {
    boost::asio::co_spawn(context, join_round(rounds, story, name), boost::asio::detached);
  }
  context.run();
  return story.events;
}

TEST(Rounds, DoTheWorkOfAllThatAreReadyBeforeAnyOfThemGoesOn) {
  RoundStory story;
  EXPECT_EQ(events_of_a_round("abc", 8, story), "abc(((///)a)b)c");
}

TEST(Rounds, LookUpAfterAsMuchAsFitsOneRound) {
  RoundStory story;
  EXPECT_EQ(events_of_a_round("abcde", 2, story), "abcde((//)a)b((//)c)d(/)e");
}

TEST(Rounds, ThrowWhereTheWorkBelongsAndSpareTheOthers) {
  RoundStory story;
  EXPECT_EQ(events_of_a_round("axcy", 8, story), "axcy((((///)a)x)c)y") << "x has no finish";
  ASSERT_EQ(story.thrown.size(), 2U);
  EXPECT_THROW(std::rethrow_exception(story.thrown[0]), std::runtime_error);
  EXPECT_THROW(std::rethrow_exception(story.thrown[1]), std::runtime_error);
}

TEST(Rounds, TasksThatWaitEndWithTheirContext) {
  RoundStory story;
  {
    boost::asio::io_context context(1);
    Rounds rounds(context.get_executor(), {.max = 8});
    boost::asio::co_spawn(context, join_round(rounds, story, 'a'), boost::asio::detached);
    context.poll_one();
    EXPECT_EQ(story.events, "a") << "the round is still to come";
  }
  EXPECT_EQ(story.events, "a");
}

// A context whose time stands still, and the members of its rounds.
class RoundsThatWait : public testing::Test {
 protected:
  void add_members(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      members_.push_back(std::make_unique<Rounds::Member>(rounds_));
    }
  }
  std::string_view join(char name, Microseconds patience = Microseconds(1'000)) {
    boost::asio::co_spawn(context_, join_round(rounds_, story_, name, patience),
                          boost::asio::detached);
    return after(Microseconds(0));
  }
  std::string_view after(Microseconds time) {
    clock_.advance(time);
    context_.restart();
    context_.poll();
    return story_.events;
  }

  FakeClock clock_;
  SimulatedTime time_{clock_};
  boost::asio::io_context context_{1};
  Rounds rounds_{context_.get_executor(), {.max = 3, .worthwhile = 2}};
  std::vector<std::unique_ptr<Rounds::Member>> members_;
  RoundStory story_;
};

TEST_F(RoundsThatWait, BeginWhenPatienceEnds) {
  add_members(4);
  EXPECT_EQ(join('a'), "a");
  EXPECT_EQ(after(Microseconds(600)), "a");
  EXPECT_EQ(join('b'), "ab");
  EXPECT_EQ(after(Microseconds(399)), "ab");
  EXPECT_EQ(after(Microseconds(1)), "ab((//)a)b") << "the patience of the first";
  EXPECT_EQ(join('c'), "ab((//)a)bc") << "and wait again";
  EXPECT_EQ(after(Microseconds(1'000)), "ab((//)a)bc(/)c");
}

TEST_F(RoundsThatWait, BeginWhenTheyAreFull) {
  add_members(9);
  join('a');
  EXPECT_EQ(join('b'), "ab");
  EXPECT_EQ(join('c'), "abc(((///)a)b)c");
}

TEST_F(RoundsThatWait, BeginWhenNobodyElseCanCome) {
  add_members(2);
  EXPECT_EQ(join('a'), "a");
  EXPECT_EQ(join('b'), "ab((//)a)b");
  members_.pop_back();
  EXPECT_EQ(join('c'), "ab((//)a)bc(/)c") << "the only member waits for nobody";
}

TEST_F(RoundsThatWait, BeginWithTheFirstThatHasNoPatience) {
  add_members(4);
  EXPECT_EQ(join('a'), "a");
  EXPECT_EQ(join('b', Microseconds(0)), "ab((//)a)b");
  EXPECT_EQ(join('c', Microseconds(900)), "ab((//)a)bc");
  EXPECT_EQ(join('d', Microseconds(100)), "ab((//)a)bcd");
  EXPECT_EQ(after(Microseconds(100)), "ab((//)a)bcd((//)c)d") << "the shorter patience counts";
  EXPECT_EQ(after(Microseconds(5'000)), "ab((//)a)bcd((//)c)d");
}

Task<std::thread::id> this_thread() {
  co_return std::this_thread::get_id();
}

Task<void> hop(Executor there, std::thread::id& id_there, std::thread::id& id_after) {
  id_there = co_await run_on(there, this_thread());
  id_after = std::this_thread::get_id();
}

class PulseTest : public testing::Test {
 protected:
  std::size_t run(std::size_t thread) {
    contexts[thread].restart();
    return contexts[thread].poll();
  }

  FakeClock clock;
  std::array<boost::asio::io_context, 2> contexts;
  Pulse pulse{clock, {contexts[0].get_executor(), contexts[1].get_executor()}};
};

TEST_F(PulseTest, NamesTheThreadThatStandsStillOnceItDoesForLong) {
  EXPECT_EQ(pulse.problem(), "");
  run(0);
  clock.advance(Pulse::kSilentMax - 1ms);
  EXPECT_EQ(pulse.problem(), "");
  clock.advance(1ms);
  EXPECT_EQ(pulse.problem(), "thread 2 of 2 stands still: it has not answered for 30 s");
  run(1);
  EXPECT_EQ(pulse.problem(), "") << "it goes on";
}

TEST_F(PulseTest, CountsFromTheQuestionHoweverLongNobodyAsked) {
  EXPECT_EQ(pulse.problem(), "");
  run(0);
  run(1);
  clock.advance(24h);
  EXPECT_EQ(pulse.problem(), "");
}

TEST_F(PulseTest, AThreadHoldsOneQuestionHoweverOftenIsAsked) {
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(pulse.problem(), "");
  EXPECT_EQ(run(0), 1U);
  EXPECT_EQ(run(1), 1U);
}

TEST(Pulse, AQuestionMayOutliveIt) {
  FakeClock clock;
  boost::asio::io_context context;
  EXPECT_EQ(Pulse(clock, {context.get_executor()}).problem(), "");
  EXPECT_EQ(context.poll(), 1U);
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
