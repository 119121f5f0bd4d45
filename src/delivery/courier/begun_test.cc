// SPDX-License-Identifier: Apache-2.0
// What the store is told of mails that are about to be begun (store/work.h, BegunMark).
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "delivery/courier/outcome_recorder.h"
#include "delivery/courier/test_store.h"

namespace todoku::delivery::courier {
namespace {

// Answers when it is told to.
class SlowStore final : public RefusingStore {
 public:
  using RefusingStore::submit;
  void submit(store::Settle settle, store::Answered<store::Settle> done) override {
    marks.assign(settle.marks.begin(), settle.marks.end());
    outcomes = settle.outcomes.size();
    answered_ = std::move(done);
  }

  [[nodiscard]] bool commits() const { return answered_ != nullptr; }
  void answer(const Result<void>& of_marks = {}) {
    store::Settled settled;
    settled.outcomes.resize(outcomes);
    settled.marks.resize(marks.size(), of_marks);
    std::exchange(answered_, nullptr)(std::move(settled));
  }

  std::vector<store::BegunMark> marks;  // of the commit under way
  std::size_t outcomes = 0;             // likewise

 private:
  store::Answered<store::Settle> answered_;
};

class BegunTest : public testing::Test {
 protected:
  BegunTest() : batch_(batch_of(TrafficClass::bulk)) {}
  ~BegunTest() override { recorder_.stop(); }

  std::shared_ptr<BatchInFlight> batch_of(TrafficClass traffic) {
    store::LeasedBatch leased{.key = {store::DeliveryKey{1}, 1}, .traffic = traffic, .token = 5};
    for (std::uint32_t seq = 0; seq < 500; ++seq) {
      leased.recipients.push_back({seq, "a@example.jp", {}, 0});
    }
    return std::make_shared<BatchInFlight>(std::move(leased), nullptr, SteadyInstant::max(),
                                           recorder_);
  }
  static Task<void> wait(OutcomeRecorder* recorder, Mail mail, std::uint32_t ahead,
                         std::optional<bool>* begun) {
    *begun = co_await recorder->begin(mail, ahead);
  }
  void begin(std::uint32_t index, std::optional<bool>& begun, std::uint32_t ahead = 0) {
    boost::asio::co_spawn(context_, wait(&recorder_, {batch_, index}, ahead, &begun),
                          boost::asio::detached);
    poll();
  }
  void poll() {
    context_.restart();
    context_.poll();
  }
  void answer(const Result<void>& of_marks = {}) {
    store_.answer(of_marks);
    poll();
  }

  boost::asio::io_context context_;
  FakeClock clock_;
  Options options_;
  policy::SiteRules rules_;
  Metrics metrics_;
  SlowStore store_;
  FixedLease lease_;
  MemoryFeedback feedback_{[](std::string_view domain) { return std::string(domain); }};
  OutcomeRecorder recorder_{store_,   lease_, feedback_, clock_,
                            options_, rules_, metrics_,  context_.get_executor()};
  std::shared_ptr<BatchInFlight> batch_;
};

TEST_F(BegunTest, AMailIsBegunOnceTheStoreHasSaidThatItKnows) {
  std::optional<bool> first;
  begin(3, first);
  ASSERT_TRUE(store_.commits()) << "at once, not with what comes next";
  ASSERT_EQ(store_.marks.size(), 1U);
  EXPECT_EQ(store_.marks[0].held, (store::HeldBatch{{store::DeliveryKey{1}, 1}, 5}));
  EXPECT_EQ(store_.marks[0].begun, store::begun_bit(3));
  EXPECT_FALSE(first);
  // Neighbours are waited for with it, others come with the next commit.
  std::optional<bool> neighbour;
  std::optional<bool> other;
  begin(7, neighbour);
  begin(8, other);
  answer();
  EXPECT_EQ(first, true);
  EXPECT_EQ(neighbour, true);
  EXPECT_FALSE(other);
  ASSERT_TRUE(store_.commits());
  EXPECT_EQ(store_.marks.at(0).begun, store::begun_bit(8));
  answer();
  EXPECT_EQ(other, true);
  EXPECT_FALSE(store_.commits());
  std::optional<bool> again;
  begin(0, again);
  EXPECT_EQ(again, true) << "it is known";
}

TEST_F(BegunTest, WhoAsksAheadWaitsOnlyForWhatIsNotKnown) {
  std::optional<bool> begun;
  begin(0, begun, 4);
  EXPECT_EQ(store_.marks.at(0).begun, 0b1'1111U);
  answer();
  begun.reset();
  recorder_.begin_soon({batch_, 8}, 4);
  EXPECT_FALSE(store_.commits()) << "enough is left";
  recorder_.begin_soon({batch_, 24}, 4);
  clock_.advance(std::chrono::seconds(1));
  recorder_.settled({batch_, 0}, "example.jp",
                    {.state = RecipientState::bounced, .stage = Stage::data, .reply = {550, ""}},
                    {}, Milliseconds(1));
  ASSERT_TRUE(store_.commits());
  EXPECT_EQ(store_.marks.at(0).begun, 0b1110'0000U) << "with the outcome, and not what is known";
  begin(31, begun, 4);
  EXPECT_EQ(begun, true) << "while the next are told";
  // At the end of the batch there is nothing more to ask for.
  EXPECT_EQ(batch_->wants_begun(499, 32), store::Begun{3} << 62U);
  answer();
}

TEST_F(BegunTest, OfABatchThatHasPassedToSomebodyElseNothingIsBegun) {
  std::optional<bool> begun;
  begin(0, begun);
  answer(fail(ErrorKind::conflict, "the lease of this batch has passed to somebody else"));
  EXPECT_EQ(begun, false);
  EXPECT_TRUE(batch_->lost());
}

TEST_F(BegunTest, WhatIsStoppedMeanwhileIsNotBegun) {
  std::optional<bool> begun;
  begin(0, begun);
  batch_->hold_back(true);
  answer();
  EXPECT_EQ(begun, false);
}

TEST_F(BegunTest, OfATransactionAllCountAsBegun) {
  const auto transaction = batch_of(TrafficClass::transactional);
  EXPECT_TRUE(transaction->is_begun(499));
  recorder_.begin_soon({transaction, 499}, 8);
  EXPECT_FALSE(store_.commits());
}

}  // namespace
}  // namespace todoku::delivery::courier
