// SPDX-License-Identifier: Apache-2.0
#include "async/file_pool.h"

#include <algorithm>
#include <future>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace todoku::async {
namespace {

constexpr FilePool::Owner kOwner = 1;
constexpr FilePool::Owner kOther = 2;

Task<void> do_something(FilePool& pool, std::thread::id& there) {
  const auto here = std::this_thread::get_id();
  const auto done = co_await pool.run(kOwner, [&there]() -> Result<int> {
    there = std::this_thread::get_id();
    return 7;
  });
  EXPECT_EQ(done, Result<int>(7));
  EXPECT_EQ(std::this_thread::get_id(), here);
  const auto failed =
      co_await pool.run(kOwner, []() -> Result<void> { return fail(ErrorKind::io, "deliberate"); });
  EXPECT_EQ(failed.error().detail, "deliberate");
}

TEST(FilePool, WorksAsideAndComesBack) {
  FilePool pool({.threads = 1});
  std::thread::id there = std::this_thread::get_id();
  run_to_completion(do_something(pool, there));
  EXPECT_NE(there, std::this_thread::get_id());
}

Task<void> look_at_priority(FilePool& pool, int& there) {
  (void)co_await pool.run(kOwner, [&there]() -> Result<void> {
    there = getpriority(PRIO_PROCESS, 0);
    return {};
  });
}

TEST(FilePool, CanGiveWayToTheRestOfTheProcess) {
  const int here = getpriority(PRIO_PROCESS, 0);
  FilePool pool({.threads = 1, .niceness = 3});
  int there = 0;
  run_to_completion(look_at_priority(pool, there));
  EXPECT_EQ(there, std::min(here + 3, 19)) << "the lowest there is";
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), here);
}

Task<void> throw_there(FilePool& pool) {
  (void)co_await pool.run(kOwner, []() -> Result<void> { throw std::runtime_error("deliberate"); });
}

TEST(FilePool, BringsBackWhatIsThrown) {
  FilePool pool({.threads = 1});
  EXPECT_THROW(run_to_completion(throw_there(pool)), std::runtime_error);
}

// The pool's one thread waits until the latch opens.
void occupy(FilePool& pool, std::latch& until) {
  std::promise<void> begun;
  pool.post(kOwner, [&] {
    begun.set_value();
    until.wait();
  });
  begun.get_future().wait();
}

Task<void> expect_refusal(FilePool& pool) {
  const auto done = co_await pool.run(kOwner, []() -> Result<void> { return {}; });
  EXPECT_FALSE(done);
  if (!done) EXPECT_EQ(done.error().kind, ErrorKind::unavailable);
}

TEST(FilePool, IsBoundedAndSaysSo) {
  FilePool pool({.threads = 1, .waiting_max = 1});
  std::latch until(1);
  occupy(pool, until);
  bool waited = false;
  pool.post(kOwner, [&waited] { waited = true; });
  run_to_completion(expect_refusal(pool));
  until.count_down();
  pool.stop();
  EXPECT_TRUE(waited) << "what waits is done before the end";
  run_to_completion(expect_refusal(pool));
}

// Who carries mail lets go of a file and does not wait for the disk, however much waits for it.
TEST(FilePool, WhatIsPostedWaitsBeyondTheBoundsAndNotOnTheCallersThread) {
  for (const FilePool::Options bounds :
       {FilePool::Options{.threads = 1, .waiting_max = 1},
        FilePool::Options{.threads = 1, .waiting_of_owner_max = 1}}) {
    FilePool pool(bounds);
    std::latch until(1);
    occupy(pool, until);
    std::vector<std::thread::id> there;
    for (int i = 0; i < 20; ++i) {
      pool.post(kOwner, [&there] { there.push_back(std::this_thread::get_id()); });
    }
    EXPECT_TRUE(there.empty());
    run_to_completion(expect_refusal(pool));
    until.count_down();
    pool.stop();
    EXPECT_EQ(there.size(), 20U);
    for (const auto& thread : there) EXPECT_NE(thread, std::this_thread::get_id());
    bool late = false;
    pool.post(kOwner, [&late] { late = true; });
    EXPECT_TRUE(late) << "it is not forgotten";
  }
}

TEST(FilePool, AnOwnersPartOfItIsBounded) {
  FilePool pool({.threads = 1, .waiting_max = 10, .waiting_of_owner_max = 1});
  std::latch until(1);
  occupy(pool, until);
  pool.post(kOwner, [] {});
  run_to_completion(expect_refusal(pool));
  bool waited = false;
  pool.post(kOther, [&waited] { waited = true; });
  EXPECT_FALSE(waited) << "another's has room and waits";
  until.count_down();
  pool.stop();
  EXPECT_TRUE(waited);
}

TEST(FilePool, OwnersTakeTurns) {
  FilePool pool({.threads = 1});
  std::latch until(1);
  occupy(pool, until);
  std::string order;
  for (int i = 0; i < 5; ++i) pool.post(kOwner, [&order] { order += 'a'; });
  for (int i = 0; i < 2; ++i) pool.post(kOther, [&order] { order += 'b'; });
  until.count_down();
  pool.stop();
  EXPECT_EQ(order, "babaaaa");
}

TEST(FilePool, NoOwnerHasAllThreads) {
  FilePool pool({.threads = 2, .threads_of_owner = 1});
  std::latch until(1);
  occupy(pool, until);
  bool begun = false;
  pool.post(kOwner, [&begun] { begun = true; });
  std::promise<bool> first_of_owner;
  pool.post(kOther, [&] { first_of_owner.set_value(begun); });
  EXPECT_FALSE(first_of_owner.get_future().get()) << "there is a thread for another";
  until.count_down();
  pool.stop();
  EXPECT_TRUE(begun);
}

Task<void> use(FilePool& pool, std::latch& begun, std::latch& until, bool& done) {
  int mine = 0;
  const auto result = co_await pool.run(kOwner, [&]() -> Result<int> {
    begun.count_down();
    until.wait();
    return ++mine;
  });
  done = result == Result<int>(1) && mine == 1;
}

Task<void> cancel_meanwhile(FilePool& pool, bool& done) {
  std::latch begun(1);
  std::latch until(1);
  const auto executor = co_await boost::asio::this_coro::executor;
  TaskGroup group(executor);
  group.spawn("user", use(pool, begun, until, done));
  co_await sleep_for(Microseconds(0));
  begun.wait();
  group.cancel();
  co_await sleep_for(Microseconds(0));
  EXPECT_EQ(group.size(), 1U);
  until.count_down();
  co_await group.wait_empty();
}

TEST(FilePool, ACancelledCallerStaysUntilItsWorkIsDone) {
  const std::size_t thrown_before = unhandled_exceptions();
  FilePool pool({.threads = 1});
  bool done = false;
  run_to_completion(cancel_meanwhile(pool, done));
  EXPECT_TRUE(done);
  EXPECT_EQ(unhandled_exceptions(), thrown_before);
}

Task<void> want(FilePool& pool, bool& begun, std::optional<Error>& error) {
  const auto result = co_await pool.run(kOwner, [&begun]() -> Result<void> {
    begun = true;
    return {};
  });
  if (!result) error = result.error();
}

Task<void> cancel_before(FilePool& pool, std::latch& until, bool& begun,
                         std::optional<Error>& error) {
  const auto executor = co_await boost::asio::this_coro::executor;
  TaskGroup group(executor);
  group.spawn("user", want(pool, begun, error));
  co_await sleep_for(Microseconds(0));
  group.cancel();
  until.count_down();
  co_await group.wait_empty();
}

TEST(FilePool, WhatNobodyWaitsForAnyMoreIsNotBegun) {
  const std::size_t thrown_before = unhandled_exceptions();
  FilePool pool({.threads = 1});
  std::latch until(1);
  occupy(pool, until);
  bool begun = false;
  std::optional<Error> error;
  run_to_completion(cancel_before(pool, until, begun, error));
  EXPECT_FALSE(begun);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::cancelled);
  EXPECT_EQ(unhandled_exceptions(), thrown_before);
}

}  // namespace
}  // namespace todoku::async
