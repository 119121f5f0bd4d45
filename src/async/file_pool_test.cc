// SPDX-License-Identifier: Apache-2.0
#include "async/file_pool.h"

#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace todoku::async {
namespace {

Task<void> do_something(FilePool& pool, std::thread::id& there) {
  const auto here = std::this_thread::get_id();
  const auto done = co_await pool.run([&there]() -> Result<int> {
    there = std::this_thread::get_id();
    return 7;
  });
  EXPECT_EQ(done, Result<int>(7));
  EXPECT_EQ(std::this_thread::get_id(), here);
  const auto failed =
      co_await pool.run([]() -> Result<void> { return fail(ErrorKind::io, "deliberate"); });
  EXPECT_EQ(failed.error().detail, "deliberate");
}

TEST(FilePool, WorksAsideAndComesBack) {
  FilePool pool({.threads = 1});
  std::thread::id there = std::this_thread::get_id();
  run_to_completion(do_something(pool, there));
  EXPECT_NE(there, std::this_thread::get_id());
}

Task<void> throw_there(FilePool& pool) {
  (void)co_await pool.run([]() -> Result<void> { throw std::runtime_error("deliberate"); });
}

TEST(FilePool, BringsBackWhatIsThrown) {
  FilePool pool({.threads = 1});
  EXPECT_THROW(run_to_completion(throw_there(pool)), std::runtime_error);
}

// The pool's one thread waits until the latch opens.
void occupy(FilePool& pool, std::latch& until) {
  std::promise<void> begun;
  pool.post([&] {
    begun.set_value();
    until.wait();
  });
  begun.get_future().wait();
}

Task<void> expect_refusal(FilePool& pool) {
  const auto done = co_await pool.run([]() -> Result<void> { return {}; });
  EXPECT_FALSE(done);
  if (!done) EXPECT_EQ(done.error().kind, ErrorKind::unavailable);
}

TEST(FilePool, IsBoundedAndSaysSo) {
  FilePool pool({.threads = 1, .waiting_max = 1});
  std::latch until(1);
  occupy(pool, until);
  bool waited = false;
  pool.post([&waited] { waited = true; });
  run_to_completion(expect_refusal(pool));
  std::thread::id there;
  pool.post([&there] { there = std::this_thread::get_id(); });
  EXPECT_EQ(there, std::this_thread::get_id()) << "what nobody waits for is done here and now";
  EXPECT_FALSE(waited);
  until.count_down();
  pool.stop();
  EXPECT_TRUE(waited) << "what waits is done before the end";
  run_to_completion(expect_refusal(pool));
}

Task<void> use(FilePool& pool, bool& done) {
  int mine = 0;
  const auto result = co_await pool.run([&mine]() -> Result<int> { return ++mine; });
  done = result == Result<int>(1) && mine == 1;
}

Task<void> cancel_meanwhile(FilePool& pool, std::latch& until, bool& done) {
  const auto executor = co_await boost::asio::this_coro::executor;
  TaskGroup group(executor);
  group.spawn("user", use(pool, done));
  co_await sleep_for(Microseconds(0));
  group.cancel();
  co_await sleep_for(Microseconds(0));
  EXPECT_EQ(group.size(), 1U);
  until.count_down();
  co_await group.wait_empty();
}

TEST(FilePool, ACancelledCallerStaysUntilItsWorkIsDone) {
  FilePool pool({.threads = 1});
  std::latch until(1);
  occupy(pool, until);
  bool done = false;
  run_to_completion(cancel_meanwhile(pool, until, done));
  EXPECT_TRUE(done);
  EXPECT_EQ(unhandled_exceptions(), 0U);
}

}  // namespace
}  // namespace todoku::async
