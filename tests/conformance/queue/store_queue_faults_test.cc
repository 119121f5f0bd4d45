// SPDX-License-Identifier: Apache-2.0
// The queue on the store where several processes share one, where the store is away or its answers
// are lost, and what an idle process costs.
#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/timer.h"
#include "queue/store/poll_pace.h"
#include "queue_conformance.h"
#include "store_side.h"
#include "support/failing_store.h"
#include "support/postgres/proxy.h"
#include "support/shared_clock.h"

namespace todoku::queue {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kVisible = 30s;

class StoreQueueFaults : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(async::unhandled_exceptions(), 0U); }
  static void run(Task<void> behaviour) { async::run_to_completion(std::move(behaviour)); }

  static std::set<Bell> all_of(std::uint32_t count) {
    const auto bells = make_bells(count);
    return {bells.begin(), bells.end()};
  }
  // What one receiver hears until nothing comes any more, acknowledged.
  static Task<void> hear(std::shared_ptr<Queue> queue, Milliseconds wait,
                         std::vector<Bell>& heard) {
    while (true) {
      const auto bells = co_await queue->receive(7, wait);
      EXPECT_TRUE(bells) << bells.error().detail;
      if (!bells || bells->empty()) co_return;
      std::vector<Receipt> receipts;
      for (const ReceivedBell& one : *bells) {
        heard.push_back(one.bell);
        receipts.push_back(one.receipt);
      }
      const auto done = co_await queue->acknowledge(std::move(receipts));
      EXPECT_TRUE(done);
    }
  }
  static Task<void> send(std::shared_ptr<Queue> queue, std::vector<Bell> bells) {
    const auto sent = co_await queue->send(std::move(bells));
    EXPECT_TRUE(sent);
  }
};

// ---- several processes -------------------------------------------------------------------------

class StoreQueueProcesses : public StoreQueueFaults {
 protected:
  std::unique_ptr<store::Store> open() {
    return must(
        store::PostgresStore::open({.dial = {.address = database_.address(), .password = {}}}));
  }
  // However slow the machine is: silence does not mean that nothing comes any more.
  static Task<void> hear_until(std::shared_ptr<Queue> queue, std::size_t wanted,
                               std::vector<Bell>& heard) {
    for (int silences = 0; heard.size() < wanted && silences < 30; ++silences) {
      co_await hear(queue, 1s, heard);
    }
  }
  Task<void> share(StoreSide& one, StoreSide& other) {
    constexpr std::uint32_t kBells = 400;
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<Bell> heard;
    for (int i = 0; i < 2; ++i) {
      group.spawn("one", hear_until(one.queue(), kBells, heard));
      group.spawn("other", hear_until(other.queue(), kBells, heard));
    }
    std::vector<Bell> bells = make_bells(kBells);
    for (std::size_t at = 0; at < bells.size(); at += 20) {
      const auto from = bells.begin() + static_cast<std::ptrdiff_t>(at);
      StoreSide& side = at % 40 == 0 ? one : other;
      group.spawn("ringing", send(side.queue(), std::vector<Bell>(from, from + 20)));
    }
    co_await group.wait_empty();
    co_await hear(one.queue(), kAtOnce, heard);
    EXPECT_EQ(heard.size(), kBells) << "none came to both";
    EXPECT_EQ(std::set<Bell>(heard.begin(), heard.end()), all_of(kBells)) << "none was lost";
  }

  PostgresDatabase database_;
};

TEST_F(StoreQueueProcesses, HearEachBellOnce) {
  SystemClock clock;
  const auto store = open();
  const auto store_of_other = open();
  StoreSide one(*store, clock, kVisible, 1);
  StoreSide other(*store_of_other, clock, kVisible, 2);
  run(share(one, other));
  // An acknowledgement passes by what another process's look has locked at that moment: it would
  // come again when its time is over. What nobody has heard would be lost.
  EXPECT_EQ(database_.ask("SELECT count(*) FROM bells WHERE reception IS NULL"), "0\n");
  EXPECT_EQ(database_.ask("SELECT count(*) < 40 FROM bells"), "t\n") << "few of 400";
}

// ---- a store that is away ----------------------------------------------------------------------

class StoreQueueAway : public StoreQueueFaults {
 protected:
  Task<void> goes_away_and_comes_back() {
    co_await send(queue_, make_bells(2));
    failing_.set_outage(true);
    auto sent = co_await queue_->send(make_bells(3));
    EXPECT_TRUE(!sent && sent.error().kind == ErrorKind::unavailable);
    const auto calls = failing_.calls();
    for (int i = 0; i < 100; ++i) {
      sent = co_await queue_->send(make_bells(3));
      EXPECT_TRUE(!sent && sent.error().kind == ErrorKind::unavailable);
      const auto none = co_await queue_->receive(1, kAtOnce);
      EXPECT_TRUE(!none && none.error().kind == ErrorKind::unavailable);
    }
    EXPECT_EQ(failing_.calls(), calls) << "nobody asks for a while";
    failing_.set_outage(false);
    clock_.advance(10s);
    co_await send(queue_, make_bells(3));
    std::vector<Bell> heard;
    co_await hear(queue_, kAtOnce, heard);
    EXPECT_EQ(std::set<Bell>(heard.begin(), heard.end()), all_of(3));
    EXPECT_EQ(heard.size(), 3U);
  }

  Task<void> a_receiver_that_waits_is_told_and_comes_back() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    failing_.set_outage(true);
    const auto told = co_await queue_->receive(1, 20s);
    EXPECT_TRUE(!told && told.error().kind == ErrorKind::unavailable);
    // During the pause receivers wait for its end.
    std::vector<Bell> heard;
    group.spawn("receiver", hear_one(heard));
    (void)co_await async::sleep_for(Microseconds(0));
    co_await side_.catch_up();
    failing_.set_outage(false);
    clock_.advance(10s);
    side_.wake();
    co_await send(queue_, make_bells(1));
    co_await group.wait_empty();
    EXPECT_EQ(heard.size(), 1U);
  }
  Task<void> hear_one(std::vector<Bell>& heard) {
    const auto bells = co_await queue_->receive(1, 20s);
    if (bells && !bells->empty()) heard.push_back(bells->front().bell);
  }

  // The store has done it, and says that it has not.
  Task<void> answers_are_lost() {
    failing_.lose_answers(failing_.calls() + 1, 1);
    const auto sent = co_await queue_->send(make_bells(3));
    EXPECT_FALSE(sent);
    clock_.advance(10s);
    co_await send(queue_, make_bells(3));
    failing_.lose_answers(failing_.calls() + 1, 1);
    const auto lost = co_await queue_->receive(2, kAtOnce);
    EXPECT_FALSE(lost);
    clock_.advance(10s);
    std::vector<Bell> heard;
    co_await hear(queue_, kAtOnce, heard);
    EXPECT_EQ(heard.size(), 1U) << "two were taken out, and nobody heard";
    clock_.advance(kVisible);
    co_await hear(queue_, kAtOnce, heard);
    EXPECT_EQ(heard.size(), 3U);
    EXPECT_EQ(std::set<Bell>(heard.begin(), heard.end()), all_of(3));
    co_await send(queue_, make_bells(1));
    const auto held = co_await queue_->receive(1, kAtOnce);
    EXPECT_TRUE(held && held->size() == 1);
    failing_.lose_answers(failing_.calls() + 1, 1);
    const auto done = co_await queue_->acknowledge({held->front().receipt});
    EXPECT_FALSE(done);
    clock_.advance(kVisible * 2);
    heard.clear();
    co_await hear(queue_, kAtOnce, heard);
    EXPECT_TRUE(heard.empty()) << "it was acknowledged";
  }

  Task<void> takes_out_what_is_asked_for() {
    co_await send(queue_, make_bells(10));
    const auto held = co_await queue_->receive(3, kAtOnce);
    EXPECT_TRUE(held && held->size() == 3);
    const auto depth = co_await queue_->depth();
    EXPECT_TRUE(depth && depth->ready == 7 && depth->held == 3);
  }

  // What waits while one piece of work is under way is one piece of work.
  Task<void> many_at_once_are_few_calls() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    const auto calls = side_.calls();
    const auto bells = make_bells(200);
    for (const Bell& bell : bells) group.spawn("ringing", send(queue_, {bell}));
    co_await group.wait_empty();
    EXPECT_LT(side_.calls() - calls, 100U);
    std::vector<Bell> heard;
    co_await hear(queue_, kAtOnce, heard);
    EXPECT_EQ(heard.size(), 200U);
  }

  SharedClock clock_;
  SqliteHome home_{clock_};
  FailingStore failing_{home_.store()};
  StoreSide side_{failing_, clock_, kVisible};
  std::shared_ptr<Queue> queue_ = side_.queue();
};

TEST_F(StoreQueueAway, NobodyAsksForAWhileAndThenAllIsAsBefore) {
  run(goes_away_and_comes_back());
}
TEST_F(StoreQueueAway, AReceiverThatWaitsIsTold) {
  run(a_receiver_that_waits_is_told_and_comes_back());
}
TEST_F(StoreQueueAway, LostAnswersLoseNoBell) {
  run(answers_are_lost());
}
TEST_F(StoreQueueAway, NoMoreIsTakenOutThanIsAskedFor) {
  run(takes_out_what_is_asked_for());
}
TEST_F(StoreQueueAway, WhatWaitsGoesTogether) {
  run(many_at_once_are_few_calls());
}

// ---- a network that fails ----------------------------------------------------------------------

class StoreQueueNetwork : public StoreQueueFaults {
 protected:
  PostgresDatabase database_;
  PostgresProxy proxy_{PostgresServer::running().socket()};
  std::unique_ptr<store::Store> store_ = must(store::PostgresStore::open(
      {.dial = {.address = proxy_.address(database_.name()), .password = {}}}));

  Task<void> is_cut(SharedClock& clock, std::shared_ptr<Queue> queue) {
    co_await send(queue, make_bells(5));
    proxy_.set_open(false);
    auto sent = co_await queue->send(make_bells(25));
    EXPECT_TRUE(!sent && sent.error().kind == ErrorKind::unavailable);
    proxy_.set_open(true);
    for (int i = 0; i < 200 && !sent; ++i) {
      (void)co_await async::sleep_for(50ms);
      clock.advance(10s);
      sent = co_await queue->send(make_bells(25));
    }
    EXPECT_TRUE(sent);
    std::vector<Bell> heard;
    co_await hear(queue, kAtOnce, heard);
    EXPECT_EQ(heard.size(), 25U);
    EXPECT_EQ(std::set<Bell>(heard.begin(), heard.end()), all_of(25));
  }

  Task<void> until(std::uint64_t trips) {
    for (int i = 0; i < 2'000 && proxy_.round_trips() < trips; ++i) {
      (void)co_await async::sleep_for(1ms);
    }
  }
  static Task<void> ask_once(StoreSide& side) {
    const auto calls = side.calls();
    side.wake();
    while (side.calls() == calls) (void)co_await async::sleep_for(1ms);
  }
  static Task<void> listen(std::shared_ptr<Queue> queue) { (void)co_await queue->receive(10, 20s); }
  // Round trips of the store while a receiver waits, each time that it is asked.
  Task<void> idles(StoreSide& side, std::shared_ptr<Queue> queue, std::uint64_t& trips) {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    const std::uint64_t first = proxy_.round_trips();
    group.spawn("receiver", listen(queue));
    co_await until(first + 1);
    // The median: a connection that is made meanwhile costs some of its own.
    std::vector<std::uint64_t> each;
    std::uint64_t before = proxy_.round_trips();
    for (int i = 0; i < 15; ++i) {
      co_await ask_once(side);
      co_await until(before + 1);
      each.push_back(proxy_.round_trips() - before);
      before += each.back();
    }
    std::ranges::nth_element(each, each.begin() + 7);
    trips = each[7];
    co_await group.stop();
  }
};

TEST_F(StoreQueueNetwork, ThatIsCutLosesNoBell) {
  SharedClock clock;
  StoreSide side(*store_, clock, kVisible);
  run(is_cut(clock, side.queue()));
}

// At most 5 round trips a second, with the renewal of the lease.
TEST_F(StoreQueueNetwork, AnIdleProcessHardlyAsks) {
  SharedClock clock;
  StoreSide side(*store_, clock, kVisible);
  std::uint64_t a_poll = 0;
  run(idles(side, side.queue(), a_poll));
  EXPECT_EQ(a_poll, 1U);
  const auto node =
      must(store_->write_and_wait(store::WritePriority::claims, [](store::WriteTransaction& t) {
        return t.enter_node({.name = "me", .roles = "test", .version = "0"});
      }));
  // The median, as above.
  std::vector<std::uint64_t> each;
  for (int i = 0; i < 15; ++i) {
    const std::uint64_t before = proxy_.round_trips();
    const auto renew = [&](store::WriteTransaction& t) { return t.renew_node(node); };
    ASSERT_TRUE(store_->write_and_wait(store::WritePriority::claims, renew));
    each.push_back(proxy_.round_trips() - before);
  }
  std::ranges::nth_element(each, each.begin() + 7);
  const auto a_renewal = static_cast<double>(each[7]);

  // How many polls an hour has.
  SeededRandom random(1);
  PollPace pace{PollPace::Bounds{}};
  constexpr SteadyInstant kEnd = SteadyInstant{} + 1h;
  double polls = 0;
  for (; pace.next() < kEnd; ++polls) pace.answered(false, pace.next(), random);
  const std::chrono::duration<double> renewed_every = store::kRenewEvery;
  const double a_second =
      polls / 3'600 * static_cast<double>(a_poll) + a_renewal / renewed_every.count();
  std::printf("idle: %.2f polls and %.2f round trips a second\n", polls / 3'600, a_second);
  EXPECT_LE(a_second, 5.0);
}

}  // namespace
}  // namespace todoku::queue
