// SPDX-License-Identifier: Apache-2.0
// The recorder over a store whose commits return when the test says so.
#include "delivery/courier/outcome_recorder.h"

#include <functional>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "delivery/courier/holdings.h"
#include "delivery/courier/test_store.h"
#include "delivery/policy/sandbox.h"

namespace todoku::delivery::courier {
namespace {

constexpr std::uint32_t kMax = 8;
// After which nothing waits for more to commit.
constexpr std::chrono::seconds kLong{1};
const Path kPath{.mx_host = "mx.example.jp", .remote_ip = "192.0.2.25"};

class StalledStore final : public RefusingStore {
 public:
  using RefusingStore::submit;
  void submit(store::Settle settle, store::Answered<store::Settle> done) override {
    if (std::exchange(throws, false)) throw std::bad_alloc();
    if (at_outcomes) at_outcomes();
    waiting.push_back({settle, std::move(done)});
  }
  void submit_write(store::WritePriority, store::WriteWork, store::Done done) override {
    writes.push_back(std::move(done));
  }

  struct Waiting {
    store::Settle settle;
    store::Answered<store::Settle> done;
  };
  // The oldest commit returns.
  void answer(Result<void> result = {}) {
    Waiting oldest = std::move(waiting.front());
    waiting.erase(waiting.begin());
    if (!result) {
      oldest.done(fail(std::move(result.error())));
      return;
    }
    store::Settled settled;
    for (const store::OutcomeRecord& outcome : oldest.settle.outcomes) {
      settled.outcomes.push_back(store::OutcomeRecorded{.state = outcome.outcome.state});
    }
    settled.releases.resize(oldest.settle.releases.size());
    settled.marks.resize(oldest.settle.marks.size());
    oldest.done(std::move(settled));
  }

  // The oldest write returns; what it would do is not done here.
  void answer_write(Result<void> result = {}) {
    store::Done oldest = std::move(writes.front());
    writes.erase(writes.begin());
    oldest(std::move(result));
  }

  std::vector<Waiting> waiting;
  std::vector<store::Done> writes;
  bool throws = false;  // the next time
  std::function<void()> at_outcomes;
};

std::shared_ptr<const Letter> make_letter() {
  Content content;
  content.from = {"news@example.com", ""};
  content.subject = "x";
  content.text_part = "x";
  return std::make_shared<const Letter>(
      Letter{.message = mime::MessageTemplate::build(std::move(content), {}).value()});
}

class OutcomeRecorderTest : public ::testing::Test {
 protected:
  OutcomeRecorderTest() {
    store::LeasedBatch leased;
    for (std::uint32_t seq = 0; seq < 1'000; ++seq) {
      leased.recipients.push_back({seq, "a@example.jp", {}, 0});
    }
    batch_ = std::make_shared<BatchInFlight>(std::move(leased), make_letter(), SteadyInstant::max(),
                                             recorder_);
  }
  ~OutcomeRecorderTest() override { recorder_.stop(); }

  void settle(Stage stage = Stage::data) {
    const RecipientState state =
        stage == Stage::data ? RecipientState::delivered : RecipientState::bounced;
    recorder_.settled({batch_, next_++}, "example.jp",
                      {.state = state, .stage = stage, .reply = {250, ""}}, kPath, Milliseconds(1));
  }
  // As a connection does: mail after mail for as long as it may.
  std::size_t send_while_allowed() {
    std::size_t sent = 0;
    for (; recorder_.may_send() && sent < 1'000; ++sent) settle();
    return sent;
  }
  static Task<void> wait_for_leave(OutcomeRecorder* recorder, std::optional<bool>* leave) {
    *leave = co_await recorder->may_send_soon();
  }
  static Task<void> wait_until_flushed(OutcomeRecorder* recorder, bool* flushed) {
    co_await recorder->flushed();
    *flushed = true;
  }
  // What may_send_soon() says, as far as it has.
  void ask_for_leave(std::optional<bool>& leave) {
    boost::asio::co_spawn(context_, wait_for_leave(&recorder_, &leave), boost::asio::detached);
    context_.poll();
  }
  void poll() {
    context_.restart();
    context_.poll();
  }

  static Task<void> begin_it_once(OutcomeRecorder* recorder, Mail mail,
                                  std::optional<bool>* begun) {
    *begun = co_await recorder->begin_once(mail);
  }
  static Task<void> take_it_back(OutcomeRecorder* recorder, Mail mail, bool* done) {
    co_await recorder->take_back(mail);
    *done = true;
  }
  void take_back(std::uint32_t index) {
    boost::asio::co_spawn(context_, take_it_back(&recorder_, {batch_, index}, &taken_back_),
                          boost::asio::detached);
    poll();
  }
  void begin_once(std::uint32_t index) {
    boost::asio::co_spawn(context_, begin_it_once(&recorder_, {batch_, index}, &begun_),
                          boost::asio::detached);
    poll();
  }

  boost::asio::io_context context_;
  FakeClock clock_;
  Options options_{.unrecorded_max = kMax};
  policy::SiteRules rules_;
  Metrics metrics_;
  StalledStore store_;
  FixedLease lease_;
  MemoryFeedback feedback_{[](std::string_view domain) { return std::string(domain); }};
  OutcomeRecorder recorder_{store_,   lease_, feedback_, clock_,
                            options_, rules_, metrics_,  context_.get_executor()};
  std::shared_ptr<BatchInFlight> batch_;
  std::uint32_t next_ = 0;
  std::optional<bool> begun_;
  bool taken_back_ = false;
};

TEST_F(OutcomeRecorderTest, EachOutcomeIsCountedUnderItsOwnSite) {
  settle();  // commits by itself: the others wait for it
  const std::vector<std::string> sites{"one.example", "other.example", "one.example"};
  for (const std::string& site : sites) {
    recorder_.settled({batch_, next_++}, site,
                      {.state = RecipientState::delivered, .stage = Stage::data, .reply = {}},
                      kPath, Milliseconds(1));
  }
  clock_.advance(kLong);
  store_.answer();
  ASSERT_EQ(store_.waiting.size(), 1U);
  std::vector<std::string> counted;
  for (const store::OutcomeRecord& record : store_.waiting.front().settle.outcomes) {
    counted.push_back(record.site);
  }
  EXPECT_EQ(counted, sites);
  store_.answer();
}

TEST_F(OutcomeRecorderTest, ABounceInTheSandboxSpeaksAgainstNoAddressAndIsNoMailThatWentOut) {
  const Outcome bounce{.state = RecipientState::bounced,
                       .stage = Stage::rcpt_to,
                       .reply = {550, "5.1.1 No such mailbox"}};
  recorder_.settled({batch_, 0}, "mx.example.jp", bounce, kPath, Milliseconds(1));
  ASSERT_EQ(store_.waiting.size(), 1U);
  EXPECT_TRUE(store_.waiting.front().settle.outcomes.front().against_address);
  EXPECT_EQ(recorder_.unrecorded(), 1U);
  recorder_.settled({batch_, 1}, kSandboxSite, bounce, policy::sandbox_path(), Milliseconds(0));
  EXPECT_EQ(recorder_.unrecorded(), 1U);
  clock_.advance(kLong);
  store_.answer();
  ASSERT_EQ(store_.waiting.size(), 1U);
  EXPECT_FALSE(store_.waiting.front().settle.outcomes.front().against_address);
  store_.answer();
}

TEST_F(OutcomeRecorderTest, SendingStopsAtExactlyTheBoundWhileTheStoreStalls) {
  EXPECT_EQ(send_while_allowed(), kMax);
  EXPECT_EQ(recorder_.unrecorded(), kMax);
  EXPECT_EQ(recorder_.unrecorded_peak(), kMax);
  ASSERT_EQ(store_.waiting.size(), 1U) << "one group commits at a time";
  std::optional<bool> leave;
  ask_for_leave(leave);
  EXPECT_FALSE(leave);

  // The first group held one outcome, so one more mail may go; then the rest is one group.
  store_.answer();
  poll();
  EXPECT_EQ(leave, true);
  EXPECT_EQ(recorder_.unrecorded(), kMax - 1);
  EXPECT_EQ(send_while_allowed(), 1U);
  clock_.advance(kLong);
  store_.answer();
  EXPECT_EQ(recorder_.unrecorded(), 1U);
  store_.answer();
  EXPECT_EQ(recorder_.unrecorded(), 0U);
  EXPECT_EQ(recorder_.unrecorded_peak(), kMax);
  EXPECT_EQ(send_while_allowed(), kMax);
}

TEST_F(OutcomeRecorderTest, EveryFailureIsRecordedAndCountedWithItsCause) {
  recorder_.settled({batch_, 0}, "example.jp",
                    {.state = RecipientState::bounced,
                     .stage = Stage::rcpt_to,
                     .reply = {550, "5.1.1 User unknown"}},
                    kPath, Milliseconds(1));
  ASSERT_EQ(store_.waiting.size(), 1U);
  ASSERT_EQ(store_.waiting[0].settle.outcomes.size(), 1U);
  EXPECT_EQ(store_.waiting[0].settle.outcomes[0].outcome.cause, Cause::mailbox);
  store_.answer();
  EXPECT_EQ(metrics_.counter("todoku_failures_total", "", {{"cause", "mailbox"}}).value(), 1U);
}

TEST_F(OutcomeRecorderTest, AGreylistHasAScheduleOfItsOwn) {
  const auto wait_after = [&](Outcome outcome) {
    clock_.advance(kLong);
    recorder_.settled({batch_, next_++}, "example.jp", std::move(outcome), kPath, Milliseconds(1));
    EXPECT_EQ(store_.waiting.size(), 1U);
    const auto wait = store_.waiting[0].settle.outcomes[0].wait;
    store_.answer();
    return wait.value_or(Milliseconds(0));
  };
  const auto deferred = [](int code, std::string words) {
    return Outcome{.stage = Stage::rcpt_to, .reply = {code, std::move(words)}};
  };
  const Milliseconds usual = wait_after(deferred(451, "later"));
  EXPECT_GE(usual, std::chrono::seconds(60));
  EXPECT_LT(usual, std::chrono::seconds(120));
  const Milliseconds greylisted = wait_after(deferred(450, "4.2.0 Greylisted"));
  EXPECT_GE(greylisted, std::chrono::minutes(3));
  EXPECT_LT(greylisted, std::chrono::minutes(5));
  EXPECT_GE(wait_after(deferred(450, "4.7.1 too much mail")), std::chrono::minutes(10));
  Outcome refused = deferred(554, "No SMTP service here");
  refused.stage = Stage::greeting;
  EXPECT_GE(wait_after(refused), std::chrono::minutes(15));
  EXPECT_LT(wait_after({.is_attempt = false, .cause = Cause::stopping}), std::chrono::seconds(60));
  EXPECT_EQ(wait_after({.is_attempt = false, .cause = Cause::key_missing}),
            std::chrono::minutes(15));
}

TEST_F(OutcomeRecorderTest, OutcomesThatFollowQuicklyShareACommit) {
  settle();
  ASSERT_EQ(store_.waiting.size(), 1U) << "the first does not wait";
  store_.answer();
  settle();
  settle();
  EXPECT_TRUE(store_.waiting.empty()) << "too soon, and too few";
  clock_.advance(kLong);
  settle();
  ASSERT_EQ(store_.waiting.size(), 1U);
  store_.answer();
  EXPECT_EQ(recorder_.unrecorded(), 0U);

  for (std::uint32_t i = 0; i < kMax / 2; ++i) settle();
  ASSERT_EQ(store_.waiting.size(), 1U) << "half of the bound is enough at any time";
}

TEST_F(OutcomeRecorderTest, TheTimerCommitsWhatNothingElseWould) {
  settle();
  store_.answer();
  settle();
  ASSERT_TRUE(store_.waiting.empty());
  clock_.advance(kLong);
  while (store_.waiting.empty()) context_.run_one();
  store_.answer();
  EXPECT_EQ(recorder_.unrecorded(), 0U);
}

TEST_F(OutcomeRecorderTest, FlushingWaitsForNothing) {
  settle();
  store_.answer();
  settle();
  ASSERT_TRUE(store_.waiting.empty());
  bool flushed = false;
  boost::asio::co_spawn(context_, wait_until_flushed(&recorder_, &flushed), boost::asio::detached);
  poll();
  ASSERT_EQ(store_.waiting.size(), 1U);
  EXPECT_FALSE(flushed);
  store_.answer();
  poll();
  EXPECT_TRUE(flushed);
}

TEST_F(OutcomeRecorderTest, ConnectionsThatWereAllowedTogetherAddAtMostOneMailEach) {
  constexpr std::size_t kConnections = 5;
  for (std::uint32_t i = 0; i < kMax - 1; ++i) settle();
  std::size_t allowed = 0;
  for (std::size_t i = 0; i < kConnections; ++i) allowed += recorder_.may_send() ? 1 : 0;
  ASSERT_EQ(allowed, kConnections);
  for (std::size_t i = 0; i < kConnections; ++i) settle();
  EXPECT_FALSE(recorder_.may_send());
  EXPECT_EQ(recorder_.unrecorded_peak(), kMax - 1 + kConnections);
}

TEST_F(OutcomeRecorderTest, ARefusedCommitKeepsSendingStopped) {
  EXPECT_EQ(send_while_allowed(), kMax);
  std::optional<bool> leave;
  ask_for_leave(leave);
  store_.answer(fail(ErrorKind::unavailable, "the disk is full"));
  poll();
  EXPECT_FALSE(recorder_.may_send());
  EXPECT_EQ(recorder_.unrecorded(), kMax);
  EXPECT_FALSE(leave) << "only a commit makes room";
  recorder_.stop();
  poll();
  EXPECT_EQ(leave, false);
}

TEST_F(OutcomeRecorderTest, WhatNoConnectionHadInHandCannotGoTwiceAndDoesNotCount) {
  for (std::uint32_t i = 0; i < 3 * kMax; ++i) settle(Stage::hello);
  EXPECT_EQ(recorder_.unrecorded(), 0U);
  EXPECT_EQ(send_while_allowed(), kMax);
  while (!store_.waiting.empty()) {
    clock_.advance(kLong);
    store_.answer();
  }
  EXPECT_EQ(recorder_.unrecorded(), 0U);
}

TEST_F(OutcomeRecorderTest, OutcomesThatCouldNotBeHandedOverAreRepeated) {
  const std::uint64_t before = async::unhandled_exceptions();
  store_.throws = true;
  settle();
  ASSERT_TRUE(store_.waiting.empty());
  EXPECT_EQ(async::unhandled_exceptions(), before + 1) << "and it is told";
  settle();
  while (store_.waiting.empty()) context_.run_one();
  ASSERT_EQ(store_.waiting[0].settle.outcomes.size(), 1U);
  clock_.advance(kLong);
  store_.answer();
  ASSERT_EQ(store_.waiting.size(), 1U) << "the next ones go on";
  store_.answer();
  EXPECT_EQ(recorder_.unrecorded(), 0U);
}

// Or the release would make it unknown for good, although nothing of it went out.
TEST_F(OutcomeRecorderTest, WhatIsParkedLosesItsMarkBeforeItsBatchIsReleased) {
  begin_once(0);
  ASSERT_EQ(store_.writes.size(), 1U);
  store_.answer_write(fail(ErrorKind::unavailable, "disk full"));
  poll();
  EXPECT_EQ(begun_, false);
  for (std::uint32_t i = 0; i < 1'000; ++i) recorder_.parked({batch_, i}, clock_.steady_now());
  // The commit of the mark may have come through all the same.
  ASSERT_EQ(store_.writes.size(), 1U);
  EXPECT_TRUE(store_.waiting.empty());
  store_.answer_write(fail(ErrorKind::unavailable, "disk full"));
  context_.restart();
  while (store_.writes.empty()) context_.run_one();
  EXPECT_TRUE(store_.waiting.empty()) << "it is repeated until the store has taken it";
  store_.answer_write();
  ASSERT_EQ(store_.waiting.size(), 1U);
  clock_.advance(kLong);
  store_.answer();
  ASSERT_EQ(store_.waiting.size(), 1U);
  EXPECT_EQ(store_.waiting[0].settle.releases.size(), 1U);
  EXPECT_TRUE(store_.writes.empty());
}

// Whatever is thrown before it is kept, the mail comes back, and must not have lost its mark.
TEST_F(OutcomeRecorderTest, AnOutcomeIsKeptBeforeItsMailCountsAsUnmarked) {
  begin_once(0);
  store_.answer_write(fail(ErrorKind::unavailable, "disk full"));
  poll();
  std::optional<bool> marked;
  store_.at_outcomes = [&] { marked = batch_->is_marked(0); };
  settle();
  EXPECT_EQ(marked, true);
  EXPECT_FALSE(batch_->is_marked(0));
}

// Who waits for it has a connection in hand that others wait for.
TEST_F(OutcomeRecorderTest, AMarkThatTheStoreKeepsForNowIsNotWaitedFor) {
  begin_once(0);
  store_.answer_write(fail(ErrorKind::unavailable, "disk full"));
  poll();
  take_back(0);
  ASSERT_EQ(store_.writes.size(), 1U);
  store_.answer_write(fail(ErrorKind::unavailable, "the database is away"));
  poll();
  EXPECT_TRUE(taken_back_);
  EXPECT_TRUE(batch_->is_marked(0));
  recorder_.parked({batch_, 0}, clock_.steady_now());
  EXPECT_EQ(store_.writes.size(), 1U) << "the mark goes before its batch";
  EXPECT_TRUE(store_.waiting.empty());
}

TEST_F(OutcomeRecorderTest, WhatIsSettledHasNoMarkToLose) {
  begin_once(0);
  store_.answer_write(fail(ErrorKind::unavailable, "disk full"));
  poll();
  EXPECT_TRUE(batch_->is_marked(0));
  settle();
  EXPECT_FALSE(batch_->is_marked(0));
  EXPECT_TRUE(store_.writes.empty());
  ASSERT_EQ(store_.waiting.size(), 1U) << "the outcome takes it away";
}

// Who held a batch while its node counted as dead may tell of it when it is leased anew.
TEST_F(OutcomeRecorderTest, TwoLeasesOfABatchCountApart) {
  settle();  // what comes while this one commits is one group
  const auto lease = [&](std::uint64_t token) {
    store::LeasedBatch leased;
    leased.key = {store::DeliveryKey{9}, 0};
    leased.token = token;
    for (std::uint32_t seq = 0; seq < 2; ++seq) leased.recipients.push_back({seq, "a@b.jp", {}, 0});
    return std::make_shared<BatchInFlight>(std::move(leased), make_letter(), SteadyInstant::max(),
                                           recorder_);
  };
  auto older = lease(3);
  auto newer = lease(4);
  recorder_.parked({newer, 0}, clock_.steady_now());
  recorder_.parked({newer, 1}, clock_.steady_now());
  recorder_.parked({older, 0}, clock_.steady_now());
  recorder_.parked({older, 1}, clock_.steady_now());
  older.reset();
  newer.reset();
  clock_.advance(kLong);
  store_.answer();
  ASSERT_EQ(store_.waiting.size(), 1U);
  std::vector<std::uint64_t> tokens;
  for (const auto& release : store_.waiting[0].settle.releases)
    tokens.push_back(release.held.token);
  EXPECT_EQ(tokens, (std::vector<std::uint64_t>{3, 4}));
  store_.answer();
}

// What is thrown in a connection or a courier lets go of mails without a word.
TEST_F(OutcomeRecorderTest, WhatIsDroppedIsGivenBackAndNotAtOnce) {
  store::LeasedBatch leased;
  leased.key = {store::DeliveryKey{9}, 0};
  leased.token = 3;
  for (std::uint32_t seq = 0; seq < 4; ++seq) leased.recipients.push_back({seq, "a@b.jp", {}, 0});
  auto dropped = std::make_shared<BatchInFlight>(std::move(leased), make_letter(),
                                                 SteadyInstant::max(), recorder_);
  recorder_.parked({dropped, 0}, clock_.steady_now());
  store_.answer();
  clock_.advance(kLong);
  dropped.reset();
  ASSERT_EQ(store_.waiting.size(), 1U);
  const auto releases = store_.waiting[0].settle.releases;
  ASSERT_EQ(releases.size(), 1U);
  EXPECT_EQ(releases[0].held.key.delivery, store::DeliveryKey{9});
  EXPECT_EQ(releases[0].held.token, 3U);
  EXPECT_EQ(releases[0].not_before, Milliseconds(60'000));
  EXPECT_TRUE(store_.waiting[0].settle.outcomes.empty());
  (void)feedback_.take();
  store_.answer();
  const News news = feedback_.take();
  ASSERT_EQ(news.progress.size(), 1U);
  EXPECT_EQ(news.progress[0].settled, 3);
  EXPECT_TRUE(news.progress[0].released.has_value());
}

store::LeasedBatch leased_with(std::uint64_t token) {
  store::LeasedBatch leased;
  leased.key = {store::DeliveryKey{9}, 0};
  leased.node = store::NodeKey{1};
  leased.token = token;
  leased.expires_in = std::chrono::hours(1);
  leased.recipients.push_back({0, "a@b.jp", {}, 0});
  return leased;
}

std::uint64_t given_back(const Metrics& metrics) {
  std::uint64_t sum = 0;
  metrics.visit([&](std::string_view name, std::string_view, MetricKind,
                    std::span<const Metrics::Sample> samples) {
    if (name == "todoku_abandoned_recipients_total") sum = samples.front().counter->value();
  });
  return sum;
}

TEST_F(OutcomeRecorderTest, WhatNobodyHasTouchedIsDueAtOnceAndIsNoFailure) {
  Holdings holdings(recorder_, lease_, clock_);
  auto batch = holdings.take(leased_with(3), nullptr);
  EXPECT_EQ(batch->expires(), clock_.steady_now() + std::chrono::hours(1));
  batch->leave_untouched();
  batch.reset();
  ASSERT_EQ(store_.waiting.size(), 1U);
  ASSERT_EQ(store_.waiting[0].settle.releases.size(), 1U);
  EXPECT_EQ(store_.waiting[0].settle.releases[0].held, leased_with(3).held());
  EXPECT_EQ(store_.waiting[0].settle.releases[0].not_before, Milliseconds(0));
  EXPECT_EQ(given_back(metrics_), 0U);
  store_.answer();
  clock_.advance(kLong);

  batch = holdings.take(leased_with(4), nullptr);
  batch->leave_untouched();
  batch->touch();
  batch.reset();
  ASSERT_EQ(store_.waiting.size(), 1U);
  EXPECT_EQ(store_.waiting[0].settle.releases[0].not_before, Milliseconds(60'000));
  EXPECT_EQ(given_back(metrics_), 1U);
}

TEST_F(OutcomeRecorderTest, HoldingsKnowEachBatchByItsNewestLease) {
  Holdings holdings(recorder_, lease_, clock_);
  const auto first = holdings.take(leased_with(3), nullptr);
  EXPECT_EQ(holdings.held(), std::vector{leased_with(3).held()});
  EXPECT_EQ(holdings.lost({leased_with(2).held()}), 0U) << "another lease";
  EXPECT_FALSE(first->lost());
  const auto second = holdings.take(leased_with(4), nullptr);
  EXPECT_TRUE(first->lost()) << "nobody is leased a batch that is held";
  EXPECT_FALSE(second->lost());
  EXPECT_EQ(holdings.held(), std::vector{leased_with(4).held()});
  EXPECT_TRUE(holdings.take(leased_with(3), nullptr)->lost()) << "the store's answer came late";
  EXPECT_FALSE(second->lost());
  EXPECT_EQ(holdings.lost({leased_with(4).held()}), 1U);
  EXPECT_TRUE(second->lost());
  store::LeasedBatch of_before = leased_with(5);
  of_before.node = store::NodeKey{7};
  EXPECT_TRUE(holdings.take(std::move(of_before), nullptr)->lost())
      << "this process counted as dead meanwhile";
}

TEST_F(OutcomeRecorderTest, WhatAHeldCredentialHandedInIsHeldBackInHandAndWhenItComes) {
  Holdings holdings(recorder_, lease_, clock_);
  store::LeasedBatch of_shop = leased_with(3);
  of_shop.credential = "shop";
  const auto in_hand = holdings.take(of_shop, nullptr);
  holdings.hold_back({.deliveries = {}, .credentials = {"shop"}});
  EXPECT_TRUE(in_hand->held_back());
  ++of_shop.token;
  const auto comes = holdings.take(of_shop, nullptr);
  EXPECT_TRUE(comes->held_back()) << "accepted before this was heard of elsewhere";
  store::LeasedBatch of_nobody = leased_with(9);
  of_nobody.key = {store::DeliveryKey{10}, 0};
  EXPECT_FALSE(holdings.take(std::move(of_nobody), nullptr)->held_back());
  holdings.hold_back({});
  EXPECT_FALSE(comes->held_back()) << "it was released";
}

TEST_F(OutcomeRecorderTest, WhatIsInHandWhenQuietHoursBeginIsHeldBackAtThatInstant) {
  Holdings holdings(recorder_, lease_, clock_);
  store::LeasedBatch leased = leased_with(3);
  leased.open_for = std::chrono::minutes(10);
  const auto in_hand = holdings.take(leased, nullptr);
  clock_.advance(std::chrono::minutes(10) - Milliseconds(1));
  EXPECT_FALSE((Mail{in_hand, 0}).withheld());
  clock_.advance(Milliseconds(1));
  EXPECT_TRUE((Mail{in_hand, 0}).withheld());
  holdings.hold_back({});
  EXPECT_TRUE((Mail{in_hand, 0}).withheld()) << "another order does not end them";
}

TEST_F(OutcomeRecorderTest, QuietHoursBeginAsTheStoreSaidHoweverLongItsAnswerTook) {
  Holdings holdings(recorder_, lease_, clock_);
  store::LeasedBatch leased = leased_with(3);
  leased.open_for = std::chrono::minutes(10);
  const SteadyInstant asked = clock_.steady_now();
  clock_.advance(std::chrono::minutes(2));
  const auto in_hand = holdings.take(std::move(leased), nullptr, asked);
  EXPECT_EQ(in_hand->expires(), asked + std::chrono::hours(1));
  clock_.advance(std::chrono::minutes(8) - Milliseconds(1));
  EXPECT_FALSE(in_hand->held_back());
  clock_.advance(Milliseconds(1));
  EXPECT_TRUE(in_hand->held_back());
}

TEST_F(OutcomeRecorderTest, WhatWasLeasedByAnOlderWordOfItsSendersIsHeldBack) {
  Holdings holdings(recorder_, lease_, clock_);
  store::LeasedBatch leased = leased_with(3);
  leased.steering = 1;
  const auto in_hand = holdings.take(leased, nullptr);
  holdings.hold_back({.deliveries = {}, .credentials = {}, .steering = {{leased.key.delivery, 1}}});
  EXPECT_FALSE(in_hand->held_back());
  holdings.hold_back({.deliveries = {}, .credentials = {}, .steering = {{leased.key.delivery, 2}}});
  EXPECT_TRUE(in_hand->held_back());
  ++leased.token;
  const auto comes = holdings.take(leased, nullptr);
  EXPECT_TRUE(comes->held_back()) << "leased before it was said";
  ++leased.token;
  leased.steering = 2;
  EXPECT_FALSE(holdings.take(leased, nullptr)->held_back());
}

TEST_F(OutcomeRecorderTest, WhatIsPausedIsHeldBackInHandAndWhenItComes) {
  Holdings holdings(recorder_, lease_, clock_);
  const auto in_hand = holdings.take(leased_with(3), nullptr);
  const store::DeliveryKey paused = in_hand->leased().key.delivery;
  EXPECT_FALSE(in_hand->held_back());
  holdings.hold_back({.deliveries = {paused}, .credentials = {}});
  EXPECT_TRUE(in_hand->held_back());
  EXPECT_TRUE((Mail{in_hand, 0}).withheld());
  EXPECT_FALSE(in_hand->lost()) << "what becomes of it is still ours to say";
  const auto comes = holdings.take(leased_with(4), nullptr);
  EXPECT_TRUE(comes->held_back()) << "leased before it was paused";
  holdings.hold_back({.deliveries = {store::DeliveryKey{99'999}}, .credentials = {"shop"}});
  EXPECT_FALSE(comes->held_back()) << "it goes on";
  EXPECT_FALSE((Mail{comes, 0}).withheld());
}

TEST_F(OutcomeRecorderTest, WhileTheLeaseOfTheNodeDoesNotHoldNothingIsSent) {
  lease_.held = false;
  EXPECT_EQ(send_while_allowed(), 0U);
  std::optional<bool> leave;
  ask_for_leave(leave);
  EXPECT_FALSE(leave) << "no commit will change that";
  lease_.held = true;
  recorder_.may_begin_again();
  poll();
  EXPECT_EQ(leave, true);
  EXPECT_EQ(send_while_allowed(), kMax);
}

TEST_F(OutcomeRecorderTest, WhoDrainsWithoutALeaseWaitsForNone) {
  std::optional<bool> leave;
  lease_.held = false;
  ask_for_leave(leave);
  EXPECT_FALSE(leave);
  recorder_.drain();
  poll();
  EXPECT_EQ(leave, true) << "to ask again";
  ask_for_leave(leave);
  poll();
  EXPECT_EQ(leave, false);
}

TEST_F(OutcomeRecorderTest, WhoDrainsWithoutALeaseWaitsForOutcomesOnly) {
  lease_.held = false;
  recorder_.drain();
  settle();
  bool flushed = false;
  boost::asio::co_spawn(context_, wait_until_flushed(&recorder_, &flushed), boost::asio::detached);
  poll();
  EXPECT_FALSE(flushed) << "an outcome that is not told goes twice";
  store_.answer();
  poll();
  EXPECT_TRUE(flushed);
  flushed = false;
  batch_.reset();  // the rest goes back, which the end of this node does, too
  boost::asio::co_spawn(context_, wait_until_flushed(&recorder_, &flushed), boost::asio::detached);
  poll();
  EXPECT_TRUE(flushed);
}

TEST_F(OutcomeRecorderTest, WhatWasForgottenIsLostWhenItComesAfterAll) {
  Holdings holdings(recorder_, lease_, clock_);
  const auto leased = [](std::uint64_t token) {
    store::LeasedBatch lease;
    lease.key = {store::DeliveryKey{5}, 0};
    lease.node = store::NodeKey{1};
    lease.token = token;
    lease.recipients.push_back({0, "a@example.jp", {}, 0});
    return lease;
  };
  const std::vector<store::HeldBatch> first{leased(1).held()};
  EXPECT_EQ(holdings.not_in_hand(first), first);
  EXPECT_EQ(holdings.forget(first), first);
  EXPECT_TRUE(holdings.take(leased(1), nullptr)->lost());
  const std::vector<store::HeldBatch> second{leased(2).held()};
  const auto held = holdings.take(leased(2), nullptr);
  EXPECT_FALSE(held->lost()) << "a new lease of it";
  EXPECT_TRUE(holdings.not_in_hand(second).empty());
  EXPECT_TRUE(holdings.forget(second).empty()) << "what is in hand is not forgotten";
}

TEST_F(OutcomeRecorderTest, WhatWasGivenBackIsToldAsDue) {
  Holdings holdings(recorder_, lease_, clock_);
  (void)feedback_.take();
  holdings.given_back({{.key = {store::DeliveryKey{5}, 3}, .token = 1}});
  const News news = feedback_.take();
  ASSERT_EQ(news.progress.size(), 1U);
  EXPECT_EQ(news.progress[0].key, (store::BatchKey{store::DeliveryKey{5}, 3}));
  ASSERT_TRUE(news.progress[0].released);
  EXPECT_EQ(news.progress[0].released->next, Milliseconds(0)) << "the scheduler rings at once";
  EXPECT_FALSE(news.progress[0].released->done);
}

TEST_F(OutcomeRecorderTest, AnOutcomeGrowsOlderWhileItsCommitIsRepeated) {
  settle();
  ASSERT_EQ(store_.waiting.size(), 1U);
  EXPECT_EQ(store_.waiting[0].settle.outcomes[0].age, Milliseconds(0));
  store_.answer(fail(ErrorKind::unavailable, "the disk is full"));
  clock_.advance(std::chrono::seconds(7));
  while (store_.waiting.empty()) context_.run_one();
  EXPECT_EQ(store_.waiting[0].settle.outcomes[0].age, Milliseconds(7'000));
}

}  // namespace
}  // namespace todoku::delivery::courier
