// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/composing_memory.h"

#include <map>
#include <string>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"

namespace todoku::delivery::egress {
namespace {

SteadyInstant in(Milliseconds wait) {
  return std::chrono::time_point_cast<Microseconds>(SystemClock().steady_now() + wait);
}

struct Desk {
  ComposingMemory memory{100};
  std::string log;  // names of those who got a share, small letters; capital: not
  std::map<char, ComposingMemory::Share> shares;
};

Task<void> want(Desk& desk, char name, std::size_t octets, TrafficClass traffic,
                Milliseconds patience = std::chrono::seconds(20)) {
  auto share = co_await desk.memory.share(octets, traffic, in(patience));
  desk.log += share ? name : static_cast<char>(name - 'a' + 'A');
  if (share) desk.shares[name] = std::move(*share);
}

class ComposingMemoryTest : public ::testing::Test {
 protected:
  void run(Task<void> (*story)(Desk&, async::TaskGroup&)) {
    const std::size_t thrown_before = async::unhandled_exceptions();
    async::run_to_completion(tell(story, desk));
    desk.shares.clear();
    EXPECT_EQ(desk.memory.used(), 0U);
    EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
  }
  static Task<void> tell(Task<void> (*story)(Desk&, async::TaskGroup&), Desk& desk) {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    co_await story(desk, group);
    co_await group.stop();
  }
  Desk desk;
};

// Lets the others go as far as they can.
Task<void> settle_down() {
  for (int i = 0; i < 20; ++i) {
    co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                               boost::asio::use_awaitable_t<async::Executor>());
  }
}

TEST_F(ComposingMemoryTest, IsSharedAsFarAsItGoesTransactionalFirst) {
  run([](Desk& desk, async::TaskGroup& group) -> Task<void> {
    group.spawn("a", want(desk, 'a', 60, TrafficClass::bulk));
    group.spawn("b", want(desk, 'b', 40, TrafficClass::bulk));
    group.spawn("c", want(desk, 'c', 50, TrafficClass::bulk));
    group.spawn("d", want(desk, 'd', 10, TrafficClass::bulk));
    group.spawn("e", want(desk, 'e', 30, TrafficClass::transactional));
    co_await settle_down();
    EXPECT_EQ(desk.log, "ab");
    EXPECT_EQ(desk.memory.used(), 100U);
    desk.shares.erase('b');
    co_await settle_down();
    EXPECT_EQ(desk.log, "abe") << "ten are left, but nobody overtakes the large one";
    desk.shares.erase('a');
    co_await settle_down();
    EXPECT_EQ(desk.log, "abecd");
  });
}

TEST_F(ComposingMemoryTest, LetsAMailThatIsLargerThanAllOfItGoAlone) {
  run([](Desk& desk, async::TaskGroup& group) -> Task<void> {
    group.spawn("a", want(desk, 'a', 1, TrafficClass::bulk));
    group.spawn("b", want(desk, 'b', 5'000, TrafficClass::bulk));
    group.spawn("c", want(desk, 'c', 1, TrafficClass::transactional));
    co_await settle_down();
    EXPECT_EQ(desk.log, "ac");
    desk.shares.clear();
    co_await settle_down();
    EXPECT_EQ(desk.log, "acb");
    EXPECT_EQ(desk.memory.used(), 100U);
    group.spawn("d", want(desk, 'd', 1, TrafficClass::transactional));
    co_await settle_down();
    EXPECT_EQ(desk.log, "acb");
  });
}

TEST_F(ComposingMemoryTest, ForgetsWhoWaitsNoMore) {
  run([](Desk& desk, async::TaskGroup& group) -> Task<void> {
    group.spawn("a", want(desk, 'a', 100, TrafficClass::bulk));
    group.spawn("b", want(desk, 'b', 100, TrafficClass::transactional, Milliseconds(1)));
    group.spawn("c", want(desk, 'c', 1, TrafficClass::bulk));
    while (!desk.log.contains('B')) co_await async::sleep_for(Milliseconds(1));
    desk.shares.clear();
    co_await settle_down();
    EXPECT_EQ(desk.log, "aBc");
  });
}

TEST_F(ComposingMemoryTest, IsGivenBackAsFarAsAMailIsSmallerThanItMayHaveBeen) {
  run([](Desk& desk, async::TaskGroup& group) -> Task<void> {
    group.spawn("a", want(desk, 'a', 100, TrafficClass::bulk));
    group.spawn("b", want(desk, 'b', 60, TrafficClass::bulk));
    co_await settle_down();
    EXPECT_EQ(desk.log, "a");
    desk.shares['a'].shrink_to(40);
    desk.shares['a'].shrink_to(50);
    co_await settle_down();
    EXPECT_EQ(desk.log, "ab");
    EXPECT_EQ(desk.memory.used(), 100U);
  });
}

TEST_F(ComposingMemoryTest, EndsAWaitThatIsCancelled) {
  run([](Desk& desk, async::TaskGroup& group) -> Task<void> {
    group.spawn("a", want(desk, 'a', 100, TrafficClass::bulk));
    group.spawn("b", want(desk, 'b', 1, TrafficClass::transactional));
    co_await settle_down();
    co_await group.stop();
    EXPECT_EQ(desk.log, "aB");
  });
}

}  // namespace
}  // namespace todoku::delivery::egress
