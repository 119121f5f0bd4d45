// SPDX-License-Identifier: Apache-2.0
// What every back end of queue::Queue must do. A back end exists when it passes this suite:
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(Memory, QueueConformance, MemoryHarness);
//
// A harness has:
//   static constexpr bool kBounded;         // send() fails when the queue is full
//   static constexpr bool kRepeats;         // a bell that is sent twice comes twice
//   static constexpr bool kReceiptsExpire;  // an old receipt is told from a newer one
//   Milliseconds patience() const;          // how long what is ready may take to be received
//   std::shared_ptr<queue::Queue> make(std::size_t capacity);  // empty; capacity if kBounded
//   Milliseconds visibility() const;        // of the queues it makes; all waits are multiples of
//   it Task<void> pass(Milliseconds);          // moves the clock of the back end, or really waits
// Nothing here assumes an order, or that a receive returns all that is ready.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "queue/queue.h"

namespace todoku::queue {

inline constexpr Milliseconds kAtOnce{0};

inline std::vector<Bell> make_bells(std::uint32_t count) {
  std::vector<Bell> bells;
  for (std::uint32_t batch = 0; batch < count; ++batch) {
    bells.push_back({.delivery = 7, .batch = batch});
  }
  return bells;
}

inline std::multiset<Bell> bells_of(const std::vector<ReceivedBell>& received) {
  std::multiset<Bell> bells;
  for (const ReceivedBell& one : received) bells.insert(one.bell);
  return bells;
}

// Each behaviour is one coroutine; the tests below only run them.
template <class Harness>
class QueueConformance : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(async::unhandled_exceptions(), 0U); }

  Task<void> gives_every_bell_once() {
    const std::vector<Bell> sent = make_bells(57);
    co_await ring(sent);
    const auto received = co_await receive_all();
    EXPECT_EQ(bells_of(received), std::multiset<Bell>(sent.begin(), sent.end()));
    for (const ReceivedBell& one : received) EXPECT_EQ(one.times, 1U);
  }

  Task<void> keeps_to_the_maximum() {
    co_await ring(make_bells(20));
    const auto received = co_await queue_->receive(3, kAtOnce);
    EXPECT_TRUE(received && !received->empty() && received->size() <= 3);
    const auto none = co_await queue_->receive(0, kAtOnce);
    EXPECT_TRUE(none && none->empty());
  }

  Task<void> repeats_what_is_sent_twice() {
    co_await ring(make_bells(1));
    co_await ring(make_bells(1));
    const auto received = co_await receive_all();
    EXPECT_EQ(received.size(), Harness::kRepeats ? 2U : 1U);
  }

  // What it was received for may be over before it is acknowledged, and its batch wait again.
  Task<void> a_bell_sent_while_it_is_held_comes_again() {
    co_await ring(make_bells(1));
    const auto held = co_await receive_one();
    co_await ring(make_bells(1));
    co_await acknowledge(held);
    const auto again = co_await receive_one();
    EXPECT_EQ(again.bell, held.bell);
  }

  Task<void> hides_a_received_bell_until_its_visibility_ends() {
    co_await ring(make_bells(1));
    const auto first = co_await receive_one();
    co_await harness_.pass(harness_.visibility() / 2);
    EXPECT_TRUE(co_await nothing_ready());
    co_await harness_.pass(harness_.visibility());
    const auto again = co_await receive_one();
    EXPECT_EQ(again.bell, first.bell);
    EXPECT_EQ(again.times, 2U);
  }

  Task<void> an_acknowledged_bell_never_comes_again() {
    co_await ring(make_bells(2));
    const auto received = co_await receive_all();
    EXPECT_EQ(received.size(), 2U);
    co_await acknowledge_all(received);
    co_await harness_.pass(harness_.visibility() * 2);
    EXPECT_TRUE(co_await nothing_ready());
  }

  Task<void> acknowledging_twice_is_fine() {
    co_await ring(make_bells(2));
    const auto received = co_await receive_all();
    EXPECT_EQ(received.size(), 2U);
    if (received.size() != 2) co_return;
    co_await acknowledge(received[0]);
    co_await acknowledge(received[0]);
    co_await harness_.pass(harness_.visibility() * 2);
    const auto left = co_await receive_one();
    EXPECT_EQ(left.bell, received[1].bell);
  }

  Task<void> acknowledging_late_leaves_the_bell_to_its_new_receiver() {
    co_await ring(make_bells(1));
    const auto late = co_await receive_one();
    co_await harness_.pass(harness_.visibility() * 2);
    co_await receive_one();
    co_await acknowledge(late);
    co_await queue_->release(only(late), kAtOnce);
    EXPECT_TRUE(co_await nothing_ready());
    co_await harness_.pass(harness_.visibility() * 2);
    const auto again = co_await receive_one();
    EXPECT_EQ(again.bell, late.bell);
  }

  Task<void> a_bad_receipt_among_others_harms_none_of_them() {
    co_await ring(make_bells(3));
    const auto received = co_await receive_all();
    EXPECT_EQ(received.size(), 3U);
    if (received.size() != 3) co_return;
    std::vector<Receipt> receipts{received[0].receipt, Receipt{"x"}, received[1].receipt};
    co_await queue_->acknowledge(std::move(receipts));
    std::vector<Receipt> others{Receipt{""}, received[2].receipt, received[0].receipt};
    co_await queue_->release(std::move(others), kAtOnce);
    const auto left = co_await receive_one();
    EXPECT_EQ(left.bell, received[2].bell);
    co_await harness_.pass(harness_.visibility() * 2);
    const auto again = co_await receive_all();
    EXPECT_EQ(again.size(), 1U);
  }

  Task<void> a_released_bell_comes_at_once() {
    co_await ring(make_bells(1));
    const auto held = co_await receive_one();
    const auto released = co_await queue_->release(only(held), kAtOnce);
    EXPECT_TRUE(released);
    const auto again = co_await receive_one();
    EXPECT_EQ(again.bell, held.bell);
    EXPECT_EQ(again.times, 2U);
  }

  Task<void> a_bell_released_with_a_delay_comes_after_it() {
    co_await ring(make_bells(1));
    const auto held = co_await receive_one();
    const auto released = co_await queue_->release(only(held), harness_.visibility() * 3);
    EXPECT_TRUE(released);
    co_await harness_.pass(harness_.visibility() * 2);
    EXPECT_TRUE(co_await nothing_ready());
    co_await harness_.pass(harness_.visibility() * 2);
    const auto again = co_await receive_one();
    EXPECT_EQ(again.bell, held.bell);
  }

  Task<void> an_unknown_receipt_does_no_harm() {
    co_await ring(make_bells(1));
    const auto held = co_await receive_one();
    for (const std::string handle : {"", "x", "1", "1.", ".1", "99999999999999999999.1", "1.1x"}) {
      const Receipt unknown{handle};
      if (unknown == held.receipt) continue;
      std::vector<Receipt> receipts(1, unknown);
      co_await queue_->acknowledge(receipts);
      co_await queue_->release(std::move(receipts), kAtOnce);
    }
    EXPECT_TRUE(co_await nothing_ready());
    co_await harness_.pass(harness_.visibility() * 2);
    const auto again = co_await receive_one();
    EXPECT_EQ(again.bell, held.bell);
  }

  Task<void> a_receiver_waits_no_longer_than_asked() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<Result<std::vector<ReceivedBell>>> results;
    group.spawn("receiver", wait_for_one(harness_.visibility() * 2, results));
    co_await let_others_run();
    co_await harness_.pass(harness_.visibility() * 3);
    co_await group.wait_empty();
    EXPECT_TRUE(results.size() == 1 && results[0] && results[0]->empty());
  }

  Task<void> a_sent_bell_wakes_a_receiver() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<Result<std::vector<ReceivedBell>>> results;
    group.spawn("receiver", wait_for_one(harness_.visibility() * 20, results));
    co_await let_others_run();
    EXPECT_TRUE(results.empty());
    co_await ring(make_bells(1));
    co_await group.wait_empty();
    EXPECT_TRUE(results.size() == 1 && results[0] && results[0]->size() == 1);
  }

  Task<void> a_released_bell_wakes_a_receiver() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<Result<std::vector<ReceivedBell>>> results;
    co_await ring(make_bells(1));
    const auto held = co_await receive_one();
    group.spawn("receiver", wait_for_one(harness_.visibility() * 20, results));
    co_await let_others_run();
    co_await queue_->release(only(held), kAtOnce);
    co_await group.wait_empty();
    EXPECT_TRUE(results.size() == 1 && results[0] && results[0]->size() == 1);
  }

  Task<void> the_end_of_visibility_wakes_a_receiver() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<Result<std::vector<ReceivedBell>>> results;
    co_await ring(make_bells(1));
    co_await receive_one();
    group.spawn("receiver", wait_for_one(harness_.visibility() * 20, results));
    co_await let_others_run();
    co_await harness_.pass(harness_.visibility() * 2);
    co_await group.wait_empty();
    EXPECT_TRUE(results.size() == 1 && results[0] && results[0]->size() == 1);
  }

  Task<void> two_receivers_share_the_bells() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<Result<std::vector<ReceivedBell>>> results;
    group.spawn("receiver 1", wait_for_one(harness_.visibility() * 20, results));
    group.spawn("receiver 2", wait_for_one(harness_.visibility() * 20, results));
    co_await let_others_run();
    co_await ring(make_bells(2));
    co_await group.wait_empty();
    std::multiset<Bell> bells;
    for (const auto& result : results) {
      if (result) bells.merge(bells_of(*result));
    }
    const std::vector<Bell> sent = make_bells(2);
    EXPECT_EQ(bells, std::multiset<Bell>(sent.begin(), sent.end()));
  }

  Task<void> a_waiting_receiver_can_be_cancelled() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    std::vector<Result<std::vector<ReceivedBell>>> results;
    group.spawn("receiver", wait_for_one(harness_.visibility() * 20, results));
    co_await let_others_run();
    co_await group.stop();
    EXPECT_TRUE(results.size() == 1 && !results[0]);
    if (results.size() == 1 && !results[0]) {
      EXPECT_EQ(results[0].error().kind, ErrorKind::cancelled);
    }
    // What comes now is for others.
    co_await ring(make_bells(1));
    co_await receive_one();
  }

  Task<void> a_full_queue_takes_nothing_more() {
    queue_ = harness_.make(3);
    co_await ring(make_bells(2));
    const auto full = co_await queue_->send(make_bells(2));
    EXPECT_FALSE(full);
    if (!full) EXPECT_EQ(full.error().kind, ErrorKind::unavailable);
    const auto received = co_await receive_all();
    EXPECT_EQ(received.size(), 2U);
    // Held bells take room too, until they are acknowledged.
    const auto still_full = co_await queue_->send(make_bells(2));
    EXPECT_FALSE(still_full);
    co_await acknowledge_all(received);
    co_await ring(make_bells(3));
  }

  Task<void> tells_its_depth() {
    co_await ring(make_bells(3));
    const auto held = co_await receive_one();
    const auto released = co_await receive_one();
    co_await queue_->release(only(released), harness_.visibility() * 10);
    co_await harness_.pass(harness_.visibility() / 2);
    const auto depth = co_await queue_->depth();
    EXPECT_TRUE(depth);
    if (!depth) co_return;
    EXPECT_EQ(depth->ready, 1U);
    EXPECT_EQ(depth->held + depth->delayed, 2U);
    EXPECT_TRUE(!depth->oldest_ready_age || *depth->oldest_ready_age >= Milliseconds(1));
    co_await acknowledge(held);
  }

  // ---- the words of the sentences above --------------------------------------------------------

  Task<void> ring(std::vector<Bell> bells) {
    const auto sent = co_await queue_->send(std::move(bells));
    EXPECT_TRUE(sent) << sent.error().detail;
  }

  Task<void> acknowledge(ReceivedBell bell) {
    const auto done = co_await queue_->acknowledge(only(bell));
    EXPECT_TRUE(done) << done.error().detail;
  }

  Task<void> acknowledge_all(std::vector<ReceivedBell> bells) {
    std::vector<Receipt> receipts;
    for (const ReceivedBell& one : bells) receipts.push_back(one.receipt);
    const auto done = co_await queue_->acknowledge(std::move(receipts));
    EXPECT_TRUE(done) << done.error().detail;
  }

  static std::vector<Receipt> only(const ReceivedBell& bell) { return {bell.receipt}; }

  // Everything that is ready now.
  Task<std::vector<ReceivedBell>> receive_all() {
    std::vector<ReceivedBell> all;
    for (;;) {
      const auto some = co_await queue_->receive(10, harness_.patience());
      EXPECT_TRUE(some) << some.error().detail;
      if (!some || some->empty()) co_return all;
      all.insert(all.end(), some->begin(), some->end());
    }
  }

  // One bell that must be there.
  Task<ReceivedBell> receive_one() {
    const auto some = co_await queue_->receive(1, harness_.patience());
    EXPECT_TRUE(some && some->size() == 1) << "expected one bell";
    co_return some && !some->empty() ? some->front() : ReceivedBell();
  }

  Task<bool> nothing_ready() {
    const auto some = co_await queue_->receive(10, kAtOnce);
    co_return some.has_value() && some->empty();
  }

  Task<void> wait_for_one(Milliseconds wait,
                          std::vector<Result<std::vector<ReceivedBell>>>& results) {
    auto result = co_await queue_->receive(1, wait);
    results.push_back(std::move(result));
  }

  // Long enough for a task of this thread to come to its first wait.
  Task<void> let_others_run() { co_await async::sleep_for(Microseconds(0)); }

  void run(Task<void> behaviour) { async::run_to_completion(std::move(behaviour)); }

  Harness harness_;
  std::shared_ptr<Queue> queue_ = harness_.make(1'000);
};

TYPED_TEST_SUITE_P(QueueConformance);

TYPED_TEST_P(QueueConformance, GivesEveryBellOnce) {
  this->run(this->gives_every_bell_once());
}
TYPED_TEST_P(QueueConformance, KeepsToTheMaximum) {
  this->run(this->keeps_to_the_maximum());
}
TYPED_TEST_P(QueueConformance, RepeatsWhatIsSentTwice) {
  this->run(this->repeats_what_is_sent_twice());
}
TYPED_TEST_P(QueueConformance, ABellSentWhileItIsHeldComesAgain) {
  this->run(this->a_bell_sent_while_it_is_held_comes_again());
}
TYPED_TEST_P(QueueConformance, HidesAReceivedBellUntilItsVisibilityEnds) {
  this->run(this->hides_a_received_bell_until_its_visibility_ends());
}
TYPED_TEST_P(QueueConformance, AnAcknowledgedBellNeverComesAgain) {
  this->run(this->an_acknowledged_bell_never_comes_again());
}
TYPED_TEST_P(QueueConformance, AcknowledgingTwiceIsFine) {
  this->run(this->acknowledging_twice_is_fine());
}
TYPED_TEST_P(QueueConformance, AcknowledgingLateLeavesTheBellToItsNewReceiver) {
  if constexpr (TypeParam::kReceiptsExpire) {
    this->run(this->acknowledging_late_leaves_the_bell_to_its_new_receiver());
  }
}
TYPED_TEST_P(QueueConformance, ABadReceiptAmongOthersHarmsNoneOfThem) {
  this->run(this->a_bad_receipt_among_others_harms_none_of_them());
}
TYPED_TEST_P(QueueConformance, AReleasedBellComesAtOnce) {
  this->run(this->a_released_bell_comes_at_once());
}
TYPED_TEST_P(QueueConformance, ABellReleasedWithADelayComesAfterIt) {
  this->run(this->a_bell_released_with_a_delay_comes_after_it());
}
TYPED_TEST_P(QueueConformance, AnUnknownReceiptDoesNoHarm) {
  this->run(this->an_unknown_receipt_does_no_harm());
}
TYPED_TEST_P(QueueConformance, AReceiverWaitsNoLongerThanAsked) {
  this->run(this->a_receiver_waits_no_longer_than_asked());
}
TYPED_TEST_P(QueueConformance, ASentBellWakesAReceiver) {
  this->run(this->a_sent_bell_wakes_a_receiver());
}
TYPED_TEST_P(QueueConformance, AReleasedBellWakesAReceiver) {
  this->run(this->a_released_bell_wakes_a_receiver());
}
TYPED_TEST_P(QueueConformance, TheEndOfVisibilityWakesAReceiver) {
  this->run(this->the_end_of_visibility_wakes_a_receiver());
}
TYPED_TEST_P(QueueConformance, TwoReceiversShareTheBells) {
  this->run(this->two_receivers_share_the_bells());
}
TYPED_TEST_P(QueueConformance, AWaitingReceiverCanBeCancelled) {
  this->run(this->a_waiting_receiver_can_be_cancelled());
}
TYPED_TEST_P(QueueConformance, AFullQueueTakesNothingMore) {
  if constexpr (TypeParam::kBounded) this->run(this->a_full_queue_takes_nothing_more());
}
TYPED_TEST_P(QueueConformance, TellsItsDepth) {
  this->run(this->tells_its_depth());
}

REGISTER_TYPED_TEST_SUITE_P(QueueConformance, GivesEveryBellOnce, KeepsToTheMaximum,
                            RepeatsWhatIsSentTwice, ABellSentWhileItIsHeldComesAgain,
                            HidesAReceivedBellUntilItsVisibilityEnds,
                            AnAcknowledgedBellNeverComesAgain, AcknowledgingTwiceIsFine,
                            AcknowledgingLateLeavesTheBellToItsNewReceiver,
                            ABadReceiptAmongOthersHarmsNoneOfThem, AReleasedBellComesAtOnce,
                            ABellReleasedWithADelayComesAfterIt, AnUnknownReceiptDoesNoHarm,
                            AReceiverWaitsNoLongerThanAsked, ASentBellWakesAReceiver,
                            AReleasedBellWakesAReceiver, TheEndOfVisibilityWakesAReceiver,
                            TwoReceiversShareTheBells, AWaitingReceiverCanBeCancelled,
                            AFullQueueTakesNothingMore, TellsItsDepth);

}  // namespace todoku::queue
