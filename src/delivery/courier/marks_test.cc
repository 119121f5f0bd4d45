// SPDX-License-Identifier: Apache-2.0
// What is said of mails that the store must know of before they are begun, while it cannot be told.
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/log.h"
#include "delivery/courier/outcome_recorder.h"
#include "delivery/courier/test_store.h"

namespace todoku::delivery::courier {
namespace {

// Refuses each write as it is told to.
class MarkStore final : public RefusingStore {
 public:
  void submit_write(store::WritePriority, store::WriteWork, store::Done done) override {
    done(answer);
  }

  Result<void> answer;
};

std::shared_ptr<const Letter> any_letter() {
  Content content;
  content.from = {"news@example.com", ""};
  content.subject = content.text_part = "x";
  return std::make_shared<const Letter>(
      Letter{.message = mime::MessageTemplate::build(std::move(content), {}).value()});
}

class MarksTest : public testing::Test {
 protected:
  MarksTest() {
    log::capture_this_thread(
        [this](log::Level, std::string_view event, log::Fields) { told_.emplace_back(event); });
    store::LeasedBatch leased;
    leased.recipients.push_back({0, "a@example.jp", {}, 0});
    batch_ = std::make_shared<BatchInFlight>(std::move(leased), any_letter(), SteadyInstant::max(),
                                             recorder_);
  }
  ~MarksTest() override {
    recorder_.stop();
    log::capture_this_thread({});
  }

  static Task<void> ask(OutcomeRecorder* recorder, Mail mail, bool once, bool* begun) {
    if (once) {
      *begun = co_await recorder->begin_once(mail);
    } else {
      *begun = co_await recorder->begin_suspect(mail);
    }
  }
  static Task<void> take_back(OutcomeRecorder* recorder, Mail mail) {
    co_await recorder->take_back(mail);
  }
  bool begins(bool once) {
    bool begun = false;
    boost::asio::co_spawn(context_, ask(&recorder_, {batch_, 0}, once, &begun),
                          boost::asio::detached);
    context_.restart();
    context_.poll();
    return begun;
  }

  std::vector<std::string> told_;
  boost::asio::io_context context_;
  FakeClock clock_;
  Options options_;
  policy::SiteRules rules_;
  Metrics metrics_;
  MarkStore store_;
  FixedLease lease_;
  MemoryFeedback feedback_{[](std::string_view domain) { return std::string(domain); }};
  OutcomeRecorder recorder_{store_,   lease_, feedback_, clock_,
                            options_, rules_, metrics_,  context_.get_executor()};
  std::shared_ptr<BatchInFlight> batch_;
};

TEST_F(MarksTest, AStoreThatIsAwayIsToldOnce) {
  store_.answer = fail(ErrorKind::unavailable, "locked");
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(begins(i % 2 == 0));
    clock_.advance(Trouble::kQuiet);
  }
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(MarksTest, MarksThatStayAreToldOnce) {
  store_.answer = fail(ErrorKind::unavailable, "locked");
  for (int i = 0; i < 100; ++i) {
    boost::asio::co_spawn(context_, take_back(&recorder_, {batch_, 0}), boost::asio::detached);
    context_.restart();
    context_.poll();
    clock_.advance(Trouble::kQuiet);
  }
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(MarksTest, AMailThatHasPassedToSomebodyElseIsNoTrouble) {
  store_.answer = fail(ErrorKind::conflict, "this batch has passed to another node");
  EXPECT_FALSE(begins(true));
  EXPECT_FALSE(begins(false));
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace todoku::delivery::courier
