// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/sandbox_ends.h"

#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "delivery/courier/outcome_recorder.h"
#include "delivery/courier/test_store.h"

namespace todoku::delivery::courier {
namespace {

class SandboxEndsTest : public testing::Test {
 protected:
  SandboxEndsTest() { recorder_.stop(); }  // what is dropped goes nowhere

  // Five recipients, of whom the second has a long value.
  std::shared_ptr<BatchInFlight> batch() {
    Content content;
    content.from = {"news@example.com", ""};
    content.subject = "x";
    content.text_part = "Dear __name__, __name__";
    auto letter = std::make_shared<const Letter>(Letter{
        .sandbox = true, .message = mime::MessageTemplate::build(std::move(content), {}).value()});
    store::LeasedBatch leased;
    for (std::uint32_t seq = 0; seq < 5; ++seq) {
      leased.recipients.push_back(
          {seq,
           "delivered@sandbox.invalid",
           {{.key = "__name__", .value = std::string(seq == 1 ? 50'000 : 5, 'a')}},
           0});
    }
    return std::make_shared<BatchInFlight>(std::move(leased), std::move(letter),
                                           SteadyInstant::max(), recorder_);
  }

  boost::asio::io_context context_;
  FakeClock clock_;
  Options options_;
  policy::SiteRules rules_;
  Metrics metrics_;
  RefusingStore store_;
  FixedLease lease_;
  MemoryFeedback feedback_{[](std::string_view domain) { return std::string(domain); }};
  OutcomeRecorder recorder_{store_,   lease_, feedback_, clock_,
                            options_, rules_, metrics_,  context_.get_executor()};
};

TEST_F(SandboxEndsTest, OnlyWhatIsInTurnEnds) {
  const auto paced = batch();
  paced->take_turns(1);
  const SandboxEnds ends = sandbox_ends(*paced, std::nullopt, 1'000'000);
  ASSERT_EQ(ends.size(), 1U);
  ASSERT_EQ(ends.begin()->second.size(), 1U);
  EXPECT_EQ(ends.begin()->second.front().first, 0U);
}

TEST_F(SandboxEndsTest, WhatItsCodesMakeTooLargeIsRefusedAsElsewhere) {
  const auto all = batch();
  const SandboxEnds ends = sandbox_ends(*all, std::nullopt, 60'000);
  ASSERT_EQ(ends.size(), 1U);
  const auto& group = ends.begin()->second;
  ASSERT_EQ(group.size(), 5U);
  EXPECT_EQ(group[0].second.outcome.state, RecipientState::delivered);
  EXPECT_EQ(group[1].second.outcome.state, RecipientState::dropped);
  EXPECT_EQ(group[1].second.outcome.cause, Cause::too_large);
  EXPECT_EQ(group[2].second.outcome.state, RecipientState::delivered);
}

TEST_F(SandboxEndsTest, WhatNobodyCouldBeGivenIsDeliveredToNobody) {
  const auto all = batch();
  const Outcome refusal{.state = RecipientState::bounced, .cause = Cause::long_lines};
  const SandboxEnds ends = sandbox_ends(*all, refusal, 1'000'000);
  for (const auto& [index, end] : ends.begin()->second) {
    EXPECT_EQ(end.outcome.cause, Cause::long_lines) << index;
    EXPECT_EQ(end.after, policy::SandboxAfter::nothing) << index;
  }
}

}  // namespace
}  // namespace todoku::delivery::courier
