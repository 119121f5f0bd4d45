// SPDX-License-Identifier: Apache-2.0
// A process as a node of a real store: what it learns of what it had in hand when its lease lapsed,
// or when it counted as dead.
#include "delivery/node.h"

#include <algorithm>
#include <functional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "support/failing_store.h"
#include "support/installation.h"
#include "support/shared_clock.h"

namespace todoku::delivery {
namespace {

using namespace std::chrono_literals;

class Holder final : public BatchHolder {
 public:
  explicit Holder(std::vector<store::HeldBatch> held) : held_(std::move(held)) {}
  [[nodiscard]] std::vector<store::HeldBatch> held() override {
    const std::lock_guard lock(mutex_);
    return held_;
  }
  std::size_t lost(const std::vector<store::HeldBatch>& batches) override {
    const std::lock_guard lock(mutex_);
    lost_.insert(lost_.end(), batches.begin(), batches.end());
    return batches.size();
  }
  [[nodiscard]] std::vector<store::HeldBatch> not_in_hand(
      const std::vector<store::HeldBatch>& batches) override {
    const std::lock_guard lock(mutex_);
    std::vector<store::HeldBatch> missing;
    for (const store::HeldBatch& batch : batches) {
      if (std::ranges::find(held_, batch) == held_.end()) missing.push_back(batch);
    }
    return missing;
  }
  [[nodiscard]] std::vector<store::HeldBatch> forget(
      const std::vector<store::HeldBatch>& batches) override {
    return not_in_hand(batches);
  }
  void given_back(const std::vector<store::HeldBatch>& batches) override {
    const std::lock_guard lock(mutex_);
    given_back_.insert(given_back_.end(), batches.begin(), batches.end());
  }
  void may_begin_again() override { ++begun_again; }
  // Its answer was lost, or comes only now.
  void drop(const store::HeldBatch& batch) {
    const std::lock_guard lock(mutex_);
    std::erase(held_, batch);
  }
  void take(const store::HeldBatch& batch) {
    const std::lock_guard lock(mutex_);
    held_.push_back(batch);
  }
  [[nodiscard]] std::vector<store::HeldBatch> lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }
  [[nodiscard]] std::vector<store::HeldBatch> told_given_back() const {
    const std::lock_guard lock(mutex_);
    return given_back_;
  }
  std::atomic<int> begun_again{0};

 private:
  mutable std::mutex mutex_;
  std::vector<store::HeldBatch> held_;
  std::vector<store::HeldBatch> lost_;
  std::vector<store::HeldBatch> given_back_;
};

class NodeTest : public ::testing::Test {
 protected:
  template <class Work>
  auto write(Work work) {
    return installation_.store->write_and_wait(store::WritePriority::accept, std::move(work));
  }

  NodeTest() {
    runtime_.start();
    node_.emplace(failing_, clock_, store::NewNode{"here", "all", "test"}, metrics_,
                  runtime_.executor(0));
    run(node_->enter());
    for (int i = 0; i < 3; ++i) {
      const auto account = write([&](store::WriteTransaction& t) {
        return t.create_account("account" + std::to_string(i));
      });
      auto accepted = installation_.store->perform_and_wait(
          store::Accept{.delivery = {.account = account->key, .content = {}},
                        .recipients = {{"a@example.jp", "example.jp", {}}},
                        .signing = {},
                        .life_time = 24h,
                        .holder = node_->key()});
      held_.push_back(accepted.value().batches.at(0).held());
    }
    holder_.emplace(held_);
    node_->set_holder(*holder_);
  }
  ~NodeTest() override {
    run(node_->stop());
    runtime_.join();
  }

  template <class T>
  T run(Task<T> task) {
    return boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future)
        .get();
  }
  std::vector<store::HeldBatch> held_in_store() {
    return installation_.store
        ->read_and_wait([&](store::ReadTransaction& reader) {
          return reader.held_by(node_->key(), std::nullopt, 100);
        })
        .value();
  }
  std::vector<store::BatchKey> due() {
    std::vector<store::BatchKey> keys;
    const auto found = installation_.store->perform_and_wait(store::Due{}).value();
    for (const store::DueDomain& domain : found.domains) {
      for (const store::DueBatch& batch : domain.batches) keys.push_back(batch.key);
    }
    return keys;
  }
  void await_lease() {
    while (!node_->holds()) std::this_thread::sleep_for(1ms);
  }

  SharedClock clock_{SharedClock::Goes::by_itself};
  TestStore installation_{&clock_};
  FailingStore failing_{*installation_.store};
  Metrics metrics_;
  async::Runtime runtime_{1};
  std::optional<Node> node_;
  std::vector<store::HeldBatch> held_;
  std::optional<Holder> holder_;
};

TEST_F(NodeTest, AfterALapseThatNobodySawNothingIsLost) {
  clock_.advance(20s);
  EXPECT_FALSE(node_->holds());
  node_->start();
  await_lease();
  EXPECT_TRUE(holder_->lost().empty());
  EXPECT_EQ(metrics_.counter("todoku_node_lapses_total", "").value(), 1U);
}

TEST_F(NodeTest, WhoCountedAsDeadLosesWhatItHeldBeforeItBeginsAgain) {
  clock_.advance(20s);
  const auto before = node_->key();
  ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.void_node(before); }).value());
  node_->start();
  await_lease();
  EXPECT_NE(node_->key(), before);
  EXPECT_EQ(holder_->lost(), held_);
  EXPECT_EQ(holder_->begun_again, 1);
  EXPECT_EQ(metrics_.counter("todoku_lost_batches_total", "").value(), 3U);
}

TEST_F(NodeTest, NothingIsBegunUntilTheStoreHasConfirmedWhatIsHeld) {
  clock_.advance(20s);
  failing_.fail_calls(2, 2);  // the renewal comes through, the question after it does not, twice
  node_->start();
  // Between its tries it waits by the machine's time, of which this clock is ahead: not here.
  while (!node_->holds()) {
    node_->renew_soon();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_GE(failing_.calls(), 5) << "renewed, asked in vain, and again until there was an answer";
  EXPECT_EQ(metrics_.counter("todoku_node_lapses_total", "").value(), 1U) << "one lapse";
}

TEST_F(NodeTest, WhatNobodyHasInHandIsGivenBackAfterAWhile) {
  holder_->drop(held_[0]);
  holder_->drop(held_[1]);
  ASSERT_TRUE(run(node_->look_for_forgotten()));
  EXPECT_EQ(held_in_store(), held_) << "their answers may be on their way";
  holder_->take(held_[1]);
  clock_.advance(kTakenInHandWithin);
  ASSERT_TRUE(run(node_->look_for_forgotten()));
  EXPECT_EQ(held_in_store(), (std::vector{held_[1], held_[2]}));
  EXPECT_EQ(due(), std::vector{held_[0].key});
  EXPECT_EQ(metrics_.counter("todoku_forgotten_batches_total", "").value(), 1U);
  EXPECT_EQ(holder_->told_given_back().size(), 1U);
}

TEST_F(NodeTest, AStoreThatDoesNotAnswerALookChangesNothing) {
  holder_->drop(held_[0]);
  ASSERT_TRUE(run(node_->look_for_forgotten()));
  clock_.advance(kTakenInHandWithin);
  failing_.fail_calls(failing_.calls() + 1, 1);
  EXPECT_FALSE(run(node_->look_for_forgotten()));
  failing_.fail_calls(failing_.calls() + 2, 1);  // the question is answered, the change is not done
  EXPECT_FALSE(run(node_->look_for_forgotten()));
  EXPECT_EQ(held_in_store(), held_);
  ASSERT_TRUE(run(node_->look_for_forgotten()));
  EXPECT_EQ(held_in_store(), (std::vector{held_[1], held_[2]}));
}

TEST_F(NodeTest, ItLooksByItselfSoonAfterADoubt) {
  holder_->drop(held_[0]);
  node_->start();
  // Between its looks it waits by the machine's time, of which this clock is ahead: each doubt has
  // it look again.
  for (std::uint64_t doubts = 1; due().empty(); ++doubts) {
    failing_.tell_doubts(doubts);
    clock_.advance(1s);
    node_->renew_soon();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(due(), std::vector{held_[0].key});
}

// A process that must be alone, and another that has the store.
class SoleNodeTest : public ::testing::Test {
 protected:
  SoleNodeTest() { runtime_.start(); }
  ~SoleNodeTest() override {
    for (const auto& node : nodes_) run(node->stop());
    runtime_.join();
  }

  Node& node(const std::string& name) {
    return *nodes_.emplace_back(std::make_unique<Node>(
        *installation_.store, clock_,
        store::NewNode{.name = name, .roles = "all", .version = "test", .alone = true}, metrics_,
        runtime_.executor(0)));
  }
  template <class T>
  T run(Task<T> task) {
    return boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future)
        .get();
  }
  Result<void> renew(const Node& renewed) {
    return installation_.store->write_and_wait(
        store::WritePriority::accept, [key = renewed.key()](store::WriteTransaction& transaction) {
          return transaction.renew_node(key);
        });
  }
  static void await(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);
  }

  SharedClock clock_{SharedClock::Goes::by_itself};
  TestStore installation_{&clock_};
  Metrics metrics_;
  async::Runtime runtime_{1};
  std::vector<std::unique_ptr<Node>> nodes_;
};

TEST_F(SoleNodeTest, IsRefusedByOneThatRenews) {
  Node& first = node("first");
  ASSERT_TRUE(run(first.enter()));
  Node& second = node("second");
  std::future<Result<void>> refused =
      boost::asio::co_spawn(runtime_.executor(0), second.enter(), boost::asio::use_future);
  EXPECT_EQ(refused.wait_for(100ms), std::future_status::timeout) << "it may have died";
  clock_.advance(3s);
  ASSERT_TRUE(renew(first));
  const auto answer = refused.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::conflict);
  EXPECT_NE(answer.error().detail.find("node first"), std::string::npos) << answer.error().detail;
  EXPECT_FALSE(second.holds());
}

TEST_F(SoleNodeTest, TakesOverFromOneThatStoodStillWhichThenHoldsNothing) {
  Node& first = node("first");
  ASSERT_TRUE(run(first.enter()));
  Node& second = node("second");
  std::future<Result<void>> entering =
      boost::asio::co_spawn(runtime_.executor(0), second.enter(), boost::asio::use_future);
  EXPECT_EQ(entering.wait_for(100ms), std::future_status::timeout);
  clock_.advance(16s);
  EXPECT_FALSE(first.holds()) << "by its own clock, before anybody told it";
  ASSERT_TRUE(entering.get());
  EXPECT_TRUE(second.holds());
  // It goes on, learns of it, and waits for its turn.
  first.start();
  await([&] { return first.key() == store::kNobody; });
  EXPECT_FALSE(first.holds());
  EXPECT_TRUE(renew(second)) << "who took over is not driven away again";
}

TEST_F(SoleNodeTest, TheSamePlaceGoesOnAtOnceAfterAKill) {
  Node& before = node("here");
  ASSERT_TRUE(run(before.enter()));
  ASSERT_TRUE(run(node("here").enter())) << "its folder's lock says that the other is gone";
  EXPECT_FALSE(renew(before));
}

TEST_F(SoleNodeTest, GivesUpWhenItIsTold) {
  ASSERT_TRUE(run(node("first").enter()));
  const auto answer = run(node("second").enter([] { return true; }));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace todoku::delivery
