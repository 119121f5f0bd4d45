// SPDX-License-Identifier: Apache-2.0
// What a request of several mails, taken as a whole, has sent when its answer says it has not.
#include <cstdint>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/api.h"
#include "app/test_handover.h"
#include "async/file_pool.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "intake/mail_limit.h"
#include "intake/senders.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

class DoorAnswersTest : public ::testing::Test {
 protected:
  DoorAnswersTest() {
    intake_.set_mail_limit(limit_);
    api_.add_door_routes(router_);
    const auto made = installation_.store->write_and_wait(
        store::WritePriority::accept, [this](store::WriteTransaction& t) -> Result<void> {
          const auto account = t.create_account("acme");
          if (!account) return fail(account.error());
          acme_ = account->key;
          const auto key =
              t.add_api_key(account->key, {.label = "test", .token_sha256 = sha256_hex("token")});
          return key ? Result<void>() : fail(key.error());
        });
    if (!made) throw std::runtime_error(made.error().detail);
  }

  void set_mails_per_day(std::int64_t mails) {
    const auto changed = installation_.store->write_and_wait(
        store::WritePriority::accept, [mails](store::WriteTransaction& t) -> Result<void> {
          auto account = t.read().account_by_name("acme");
          if (!account) return fail(account.error());
          account->limits.mails_per_day = mails;
          return t.change_account(*account);
        });
    if (!changed) throw std::runtime_error(changed.error().detail);
    api_.forget_accounts();
  }

  // SendGrid's, of three mails.
  http::Response send(std::string_view subject) {
    http::Request asked;
    asked.method = http::Method::post;
    asked.path = asked.raw_path = "/doors/sendgrid/v3/mail/send";
    asked.headers.add("Authorization", "Bearer token");
    asked.headers.add("Content-Type", "application/json");
    http::TextBody body(fmt::format(
        R"({{"from":{{"email":"shop@example.jp"}},"subject":"{}",)"
        R"("content":[{{"type":"text/plain","value":"t"}}],"personalizations":[)"
        R"({{"to":[{{"email":"a@example.com"}}]}},{{"to":[{{"email":"b@example.com"}}]}},)"
        R"({{"to":[{{"email":"c@example.com"}}]}}]}})",
        subject));
    const auto match = router_.find(http::Method::post, asked.raw_path, asked.parameters);
    return run(match.route->handler(asked, body));
  }
  std::uint64_t accepted() { return accepted_.value(); }

  store::AccountKey acme_{};
  TestStore installation_;
  FailingStore failing_{*installation_.store};
  NobodyDelivers handover_;
  Metrics metrics_;
  SeededRandom random_{7};
  intake::FolderUploads uploads_{installation_.folder / ""};
  async::FilePool files_{{}};
  intake::MailLimit limit_{*installation_.store, installation_.clock};
  intake::Intake intake_{failing_, installation_.clock, {}, handover_, metrics_};
  // The one that intake has registered.
  Counter& accepted_ = metrics_.counter("todoku_accepted_recipients_total",
                                        "Recipients of transactional mail that were committed.");
  api::Api api_{{.store = failing_,
                 .intake = intake_,
                 .uploads = uploads_,
                 .files = files_,
                 .clock = installation_.clock,
                 .metrics = metrics_,
                 .random = random_},
                {.rate_limit_per_minute = 0}};
  http::Router router_;
};

TEST_F(DoorAnswersTest, WhateverTheStoreRefusesTheRepeatSendsTheRestAndNothingTwice) {
  constexpr std::int64_t kCallsMax = 40;  // more than such a request makes
  set_mails_per_day(3 * kCallsMax);       // what was refused is given back, or it does not do
  std::uint64_t halves = 0;
  for (std::int64_t n = 1; n <= kCallsMax; ++n) {
    const std::string subject = fmt::format("call {}", n);
    const std::uint64_t before = accepted();
    failing_.fail_calls(failing_.calls() + n, 1);
    auto response = send(subject);
    failing_.fail_calls(0, 0);
    const std::uint64_t at_first = accepted() - before;
    if (response.status != 202) {
      EXPECT_EQ(response.status, 503) << n << response.body;
      if (at_first > 0) ++halves;
      response = send(subject);
    }
    EXPECT_EQ(response.status, 202) << n << response.body;
    EXPECT_EQ(accepted() - before, 3U) << n << ", at first " << at_first;
  }
  EXPECT_GT(halves, 0U) << "some of it was stored, or this tests nothing";
}

TEST_F(DoorAnswersTest, SaysWhatOtherAnswersSayOfADomainThatIsNotProven) {
  store::Domain domain;
  domain.account = acme_;
  domain.domain = "proven.example";
  domain.state = store::DomainState::proven;
  intake::Senders senders;
  senders.load({domain}, false);
  intake_.set_senders(senders);
  const auto response = send("unproven");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.headers.get("X-Todoku-Warning"), intake::kUnprovenWarning);
  domain.domain = "example.jp";
  senders.load({domain}, false);
  EXPECT_EQ(send("proven").headers.get("X-Todoku-Warning"), "");
}

TEST_F(DoorAnswersTest, TheSameOctetsAfterTheEndAreAnotherRequest) {
  for (std::uint64_t times = 1; times <= 3; ++times) {
    EXPECT_EQ(send("every day").status, 202);
    EXPECT_EQ(accepted(), 3 * times);
  }
}

TEST_F(DoorAnswersTest, WhatTheLimitDoesNotLetPassAsAWholeSendsNothing) {
  set_mails_per_day(2);
  EXPECT_EQ(send("limit").status, 400) << "it never fits";
  set_mails_per_day(5);
  EXPECT_EQ(send("limit").status, 202);
  EXPECT_EQ(send("limit").status, 429);
  EXPECT_EQ(accepted(), 3U);
  set_mails_per_day(6);
  EXPECT_EQ(send("limit").status, 202);
  EXPECT_EQ(accepted(), 6U);
}

}  // namespace
}  // namespace todoku::app
