// SPDX-License-Identifier: Apache-2.0
// The suite on Amazon SQS, as sqs_conformance.py stands it in. Time really passes.
#include <cstdlib>

#include <unistd.h>

#include "async/run_blocking.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "queue/sqs/sqs_queues.h"
#include "queue_conformance.h"

namespace todoku::queue {
namespace {

using namespace std::chrono_literals;

// One process's side of SQS, on a thread of its own.
class SqsSide {
 public:
  explicit SqsSide(std::chrono::seconds visibility) {
    const char* url = std::getenv("TODOKU_TEST_SQS");
    check(url != nullptr, "sqs_conformance.py runs this");
    sqs::SqsOptions options{.region = "ap-northeast-1", .endpoint = url};
    options.prefix = "t" + to_hex(random_octets(6));
    options.credentials.fixed = {.access_key_id = "AKIDEXAMPLE",
                                 .secret_access_key = "wJalrXUtnFEMI/K7MDENG"};
    options.queue.visibility = visibility;
    queues_ = std::move(*sqs::SqsQueues::make(options, clock_, metrics_, runtime_.executor(0)));
    runtime_.start();
  }
  ~SqsSide() {
    async::run_blocking(runtime_.executor(0), stop());
    queues_.reset();
    runtime_.join();
  }
  SqsSide(const SqsSide&) = delete;
  SqsSide& operator=(const SqsSide&) = delete;

  std::shared_ptr<Queue> make() { return queues_->get({"main", TrafficClass::bulk}); }
  [[nodiscard]] double count(std::string_view name, std::string_view action) {
    return static_cast<double>(metrics_.counter(name, "", {{"action", action}}).value());
  }
  [[nodiscard]] std::string name() { return queues_->get({"main", TrafficClass::bulk})->name(); }

 private:
  Task<bool> stop() {
    co_await queues_->stop();
    co_return true;
  }

  SystemClock clock_;
  Metrics metrics_;
  async::Runtime runtime_{1};
  std::unique_ptr<sqs::SqsQueues> queues_;
};

class SqsHarness {
 public:
  static constexpr bool kBounded = false;
  static constexpr bool kRepeats = true;
  static constexpr bool kReceiptsExpire = false;

  std::shared_ptr<Queue> make(std::size_t /*capacity*/) { return side_.make(); }
  [[nodiscard]] Milliseconds visibility() const { return 1s; }
  [[nodiscard]] Milliseconds patience() const { return 300ms; }
  Task<void> pass(Milliseconds time) { (void)co_await async::sleep_for(time); }

 private:
  SqsSide side_{1s};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqs, QueueConformance, SqsHarness);

// ---- faults ------------------------------------------------------------------------------------

class SqsFaults : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(async::unhandled_exceptions(), 0U); }

  Task<void> order(std::string words) {
    http::ClientRequest request{.method = "POST",
                                .url = std::string(std::getenv("TODOKU_TEST_SQS")) + "/control",
                                .body = std::move(words)};
    const auto done = co_await http_.fetch(std::move(request));
    EXPECT_TRUE(done && done->status == 200);
  }
  Task<void> ring(std::uint32_t count) {
    const auto sent = co_await queue_->send(make_bells(count));
    EXPECT_TRUE(sent) << sent.error().detail;
  }
  // As many different ones as are awaited, or what came until nothing came; acknowledged.
  Task<std::set<Bell>> hear(std::size_t awaited) {
    std::set<Bell> heard;
    while (heard.size() < awaited) {
      auto bells = co_await queue_->receive(10, 10s);
      EXPECT_TRUE(bells) << bells.error().detail;
      if (!bells || bells->empty()) co_return heard;
      std::vector<Receipt> receipts;
      for (ReceivedBell& one : *bells) {
        heard.insert(one.bell);
        receipts.push_back(std::move(one.receipt));
      }
      const auto done = co_await queue_->acknowledge(std::move(receipts));
      EXPECT_TRUE(done) << done.error().detail;
    }
    co_return heard;
  }
  static std::set<Bell> all_of(std::uint32_t count) {
    const auto bells = make_bells(count);
    return {bells.begin(), bells.end()};
  }

  Task<void> nothing_is_missing_after(std::vector<std::string> faults) {
    for (std::string& fault : faults) co_await order(std::move(fault));
    co_await ring(25);
    const std::set<Bell> heard = co_await hear(25);
    EXPECT_EQ(heard, all_of(25));
  }

  Task<void> clock_is_corrected() {
    co_await order(R"({"ahead": 3600})");
    co_await ring(3);
    co_await order(R"({"ahead": -3600})");
    const std::set<Bell> heard = co_await hear(3);
    EXPECT_EQ(heard, all_of(3));
    co_await order(R"({"ahead": 0})");
    co_await ring(1);
  }

  Task<void> ringing_is_bounded() {
    co_await ring(1);
    co_await order(R"({"down": true})");
    SystemClock clock;
    SteadyInstant begun = clock.steady_now();
    auto sent = co_await queue_->send(make_bells(30));
    EXPECT_FALSE(sent);
    EXPECT_LT(clock.steady_now() - begun, 5s);
    if (!sent) EXPECT_EQ(sent.error().kind, ErrorKind::unavailable);
    begun = clock.steady_now();
    sent = co_await queue_->send(make_bells(30));
    EXPECT_FALSE(sent);
    EXPECT_LT(clock.steady_now() - begun, 100ms);
    co_await order(R"({"down": false})");
    for (int i = 0; i < 40 && !sent; ++i) {
      (void)co_await async::sleep_for(500ms);
      sent = co_await queue_->send(make_bells(30));
    }
    EXPECT_TRUE(sent);
  }

  Task<void> receivers_share_one_poll() {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    co_await ring(1);
    (void)co_await hear(1);
    const double before = side_.count("todoku_sqs_calls_total", "ReceiveMessage");
    for (int i = 0; i < 4; ++i) group.spawn("receiver", listen());
    (void)co_await async::sleep_for(2s);
    EXPECT_EQ(side_.count("todoku_sqs_calls_total", "ReceiveMessage") - before, 1.0);
    co_await group.stop();
  }
  Task<void> a_deleted_queue_is_made_again() {
    co_await ring(1);
    co_await order(fmt::format(R"({{"delete": "{}"}})", side_.name()));
    co_await ring(4);
    const std::set<Bell> heard = co_await hear(4);
    EXPECT_EQ(heard, all_of(4));
  }
  Task<void> listen() { (void)co_await queue_->receive(10, 10s); }

  void run(Task<void> behaviour) { async::run_to_completion(std::move(behaviour)); }

  http::Client http_;
  SqsSide side_{2s};
  std::shared_ptr<Queue> queue_ = side_.make();
};

TEST_F(SqsFaults, NothingIsMissingAfterThrottlingAndErrors) {
  run(nothing_is_missing_after({R"({"fail": ["*", "throttle", 2]})",
                                R"({"fail": ["SendMessageBatch", "error", 2]})",
                                R"({"fail": ["ReceiveMessage", "throttle", 1]})",
                                R"({"fail": ["DeleteMessageBatch", "error", 1]})"}));
}
TEST_F(SqsFaults, NothingIsMissingAfterLostAnswers) {
  run(nothing_is_missing_after({R"({"fail": ["SendMessageBatch", "lose", 2]})",
                                R"({"fail": ["ReceiveMessage", "lose", 1]})",
                                R"({"fail": ["DeleteMessageBatch", "lose", 1]})"}));
}
TEST_F(SqsFaults, NothingIsMissingAfterPartsOfBatchesFailed) {
  run(nothing_is_missing_after({R"({"fail": ["SendMessageBatch", "partial", 2]})",
                                R"({"fail": ["DeleteMessageBatch", "partial", 2]})"}));
}
TEST_F(SqsFaults, NothingIsMissingAfterLateTurnedAndRepeatedAnswers) {
  run(nothing_is_missing_after({R"({"fail": ["ReceiveMessage", "again", 1]})",
                                R"({"fail": ["ReceiveMessage", "turned", 1]})",
                                R"({"fail": ["*", "late", 2]})"}));
}
TEST_F(SqsFaults, TheClockIsCorrectedByARefusal) {
  run(clock_is_corrected());
}
TEST_F(SqsFaults, RingingIsBoundedWhereSqsDoesNotAnswer) {
  run(ringing_is_bounded());
}
TEST_F(SqsFaults, ADeletedQueueIsMadeAgain) {
  run(a_deleted_queue_is_made_again());
}
TEST_F(SqsFaults, ReceiversShareOnePoll) {
  run(receivers_share_one_poll());
}

}  // namespace
}  // namespace todoku::queue
