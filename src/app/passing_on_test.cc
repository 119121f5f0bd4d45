// SPDX-License-Identifier: Apache-2.0
// What becomes of a transaction that was accepted where nobody sends.
#include "app/passing_on.h"

#include <mutex>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>

#include "async/runtime.h"
#include "delivery/policy/pools.h"
#include "queue/embedded/memory_queue.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class NoSignatures final : public delivery::KeyRing {
 public:
  delivery::Signing current(store::AccountKey, std::string_view) override { return {}; }
  Result<delivery::Signing> pinned(store::AccountKey, std::string_view) override {
    return delivery::Signing{};
  }
};

class SettableSources final : public delivery::LiveSources {
 public:
  explicit SettableSources(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] std::vector<std::string> live() const override {
    const std::lock_guard lock(mutex_);
    return names_;
  }
  void set(std::vector<std::string> names) {
    const std::lock_guard lock(mutex_);
    names_ = std::move(names);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

class SilentQueues final : public queue::Queues {
 public:
  Task<Result<std::shared_ptr<queue::Queue>>> open(queue::Channel /*channel*/) override {
    co_return fail(ErrorKind::unavailable, "nobody answers");
  }
};

class PassingOnTest : public ::testing::Test {
 protected:
  PassingOnTest() {
    runtime_.start();
    account_ =
        installation_.store
            ->write_and_wait(store::WritePriority::accept,
                             [](store::WriteTransaction& t) { return t.create_account("acme"); })
            ->key;
  }
  ~PassingOnTest() override {
    for (auto& each : made_) run(each->stop(clock_.steady_now() + 5s));
    runtime_.join();
  }

  void run(Task<void> task) {
    boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future).get();
  }
  PassingOn& passing_on(queue::Queues* queues) {
    made_.push_back(std::make_unique<PassingOn>(PassingOn::World{.keys = keys_,
                                                                 .clock = clock_,
                                                                 .metrics = metrics_,
                                                                 .life_time = 24h,
                                                                 .work_arrived = {},
                                                                 .queues = queues,
                                                                 .live = &live_},
                                                runtime_.executor(0)));
    made_.back()->start();
    return *made_.back();
  }
  // As intake does it.
  store::BatchKey accept(PassingOn& to) {
    auto accepted = installation_.store->perform_and_wait(store::Accept{
        .delivery = {.account = account_, .content = {}},
        .recipients = {{"a@example.jp", "example.jp", {}}, {"b@example.jp", "example.jp", {}}},
        .signing = {},
        .life_time = to.life_time(),
        .holder = to.holder(account_),
        .due_in = to.due_in()});
    const store::BatchKey key{accepted.value().delivery.key, 0};
    to.hand_over(std::move(*accepted));
    return key;
  }
  std::size_t due() {
    return installation_.store->perform_and_wait(store::Due{}).value().domains.size();
  }
  std::vector<queue::Bell> bells_of(const std::string& source) {
    std::vector<queue::Bell> bells;
    const auto queue = queues_.get({source, TrafficClass::transactional});
    const auto received = boost::asio::co_spawn(runtime_.executor(0), queue->receive(10, 0ms),
                                                boost::asio::use_future)
                              .get();
    for (const auto& each : received.value()) bells.push_back(each.bell);
    return bells;
  }
  [[nodiscard]] bool await(std::string_view counter, std::uint64_t value) {
    const auto until = clock_.steady_now() + 10s;
    while (metrics_.counter(counter, "").value() < value) {
      if (clock_.steady_now() > until) return false;
      std::this_thread::sleep_for(1ms);
    }
    return metrics_.counter(counter, "").value() == value;
  }

  const SystemClock clock_;
  TestStore installation_;
  Metrics metrics_;
  async::Runtime runtime_{1};
  NoSignatures keys_;
  SettableSources live_{{"east", "west"}};
  queue::MemoryQueues queues_{{}, clock_};
  store::AccountKey account_{};
  std::vector<std::unique_ptr<PassingOn>> made_;
};

TEST_F(PassingOnTest, OfSeveralProcessesACourierIsToldAndTheSchedulerWaits) {
  PassingOn& door = passing_on(&queues_);
  std::size_t east = 0;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    const store::BatchKey key = accept(door);
    ASSERT_TRUE(await("todoku_transactions_rung_total", i)) << "one bell a batch";
    const auto delivery = static_cast<std::int64_t>(key.delivery);
    const auto source =
        live_.live().at(*delivery::policy::choose_source(live_.live(), delivery, key.batch));
    EXPECT_THAT(bells_of(source), ::testing::ElementsAre(queue::Bell{delivery, 0}));
    if (source == "east") ++east;
  }
  EXPECT_GT(east, 0U);
  EXPECT_LT(east, 10U);
  EXPECT_EQ(due(), 0U);
  installation_.clock.advance(PassingOn::kHeardWithin);
  EXPECT_EQ(due(), 1U) << "of one domain: nobody has heard them";
}

TEST_F(PassingOnTest, WithoutASourceThatLivesItIsTheSchedulersAtOnce) {
  live_.set({});
  accept(passing_on(&queues_));
  EXPECT_EQ(due(), 1U);
}

TEST_F(PassingOnTest, WhereOneProcessWorksItIsDueAtOnce) {
  accept(passing_on(nullptr));
  EXPECT_EQ(due(), 1U);
}

TEST_F(PassingOnTest, ABellThatCannotBeRungIsLeftToTheScheduler) {
  SilentQueues silent;
  PassingOn& door = passing_on(&silent);
  accept(door);
  EXPECT_TRUE(await("todoku_transactions_left_total", 1));
  EXPECT_EQ(metrics_.counter("todoku_transactions_rung_total", "").value(), 0U);
  installation_.clock.advance(PassingOn::kHeardWithin);
  EXPECT_EQ(due(), 1U);
  run(door.stop(clock_.steady_now()));
  made_.clear();
}

}  // namespace
}  // namespace todoku::app
