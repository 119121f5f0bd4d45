// SPDX-License-Identifier: Apache-2.0
// What becomes of mail that comes in, on a real store: in which order, and how often.
#include "inbound/handler.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/installation.h"

namespace todoku::inbound {
namespace {

constexpr std::array<std::uint8_t, 16> kHandlerSecret{1, 2, 3, 4, 5, 6, 7, 8};
constexpr Addressee kToPeople{.kind = Addressee::Kind::people, .token = {}};

struct HandlerTest : testing::Test {
  TestStore installation;
  Metrics metrics;
  async::FilePool files{{.threads = 1}};
  InboundOptions options;
  std::unique_ptr<Handler> handler;
  store::AccountKey shop{};
  store::DeliveryKey sent{};

  HandlerTest() {
    options.domains = {"bounce.example.jp"};
    options.forward_to = "ops@example.com";
    options.forward_account = "house";
    (void)added_account("house");
    shop = added_account("shop");
    sent = accepted();
    handler = std::make_unique<Handler>(
        Handler::World{
            .store = *installation.store,
            .pool = files,
            .clock = installation.clock,
            .metrics = metrics,
            .secret = std::string(16, 's'),
            .unsubscribes = std::make_shared<const UnsubscribeTokens>(kHandlerSecret),
            .sites = {.by_rule = [](std::string_view, std::string_view) { return std::string(); },
                      .has_host = [](std::string_view, std::string_view) { return false; }},
            .import_reports = [](std::string) -> Task<Result<std::size_t>> {
              co_return std::size_t{0};
            }},
        options);
  }
  // A mail to taro.
  store::DeliveryKey accepted() {
    store::Accept accept{.life_time = std::chrono::hours(24)};
    accept.delivery.account = shop;
    accept.delivery.content.from.address = "shop@example.com";
    accept.delivery.content.subject = "Hello";
    accept.delivery.content.text_part = "text";
    accept.recipients = {
        {.address = "taro@example.net", .domain = "example.net", .insert_codes = {}}};
    return installation.store->perform_and_wait(std::move(accept)).value().delivery.key;
  }
  store::AccountKey added_account(std::string name) {
    return installation.store
        ->write_and_wait(
            store::WritePriority::accept,
            [&](store::WriteTransaction& writer) { return writer.create_account(name); })
        .value()
        .key;
  }
  [[nodiscard]] store::Story story() const {
    return installation.store
        ->read_and_wait([&](store::ReadTransaction& reader) {
          return reader.story({.delivery = sent, .batch = 0, .seq = 0});
        })
        .value();
  }
  // Of the mail to taro, whose server took it.
  void is_delivered() {
    const std::array records{
        store::OutcomeRecord{.key = {.delivery = sent, .batch = 0, .seq = 0},
                             .outcome = {.state = RecipientState::delivered, .reply = {250, "ok"}},
                             .path = {.mx_host = "mx.example.net"},
                             .wait = {}}};
    const auto settled =
        installation.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}});
    ASSERT_TRUE(settled && settled->outcomes[0]);
  }
  [[nodiscard]] Addressee return_path() const {
    return {.kind = Addressee::Kind::return_path,
            .token = {.delivery = static_cast<std::int64_t>(sent), .batch = 0, .seq = 0}};
  }
  // The code of the answer to a mail that says that taro is not there.
  int take(std::vector<Addressee> to) {
    return take(std::move(to),
                "Action: failed\r\nStatus: 5.1.1\r\n"
                "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n");
  }
  // ... that says this of taro.
  int take(std::vector<Addressee> to, const std::string& said) {
    const std::string octets =
        "From: MAILER-DAEMON@mx.example.net\r\nTo: b@bounce.example.jp\r\nSubject: Returned\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;"
        " boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt came back.\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        "Final-Recipient: rfc822; taro@example.net\r\n" +
        said + "\r\n--b--\r\n";
    return run(handler->take({.to = std::move(to), .octets = octets, .client = "192.0.2.1"})).code;
  }
  // The code of the answer to taro's complaint about a mail.
  int complain(store::DeliveryKey delivery) {
    const std::string octets =
        "From: fbl@provider.example\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n"
        "User-Agent: x\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        "From: shop@example.com\r\n\r\n--b--\r\n";
    Addressee to = return_path();
    to.token.delivery = static_cast<std::int64_t>(delivery);
    return run(handler->take({.to = {to}, .octets = octets, .client = "192.0.2.1"})).code;
  }
  [[nodiscard]] std::size_t complaints_told() const {
    return installation.store
        ->read_and_wait([&](store::ReadTransaction& reader) {
          return reader.events({.account = shop, .kinds = {store::EventKind::complained}});
        })
        .value()
        .events.size();
  }
  [[nodiscard]] std::uint64_t became(std::string_view word) {
    return metrics.counter("todoku_inbound_mails_total", "", {{"became", word}}).value();
  }
  [[nodiscard]] std::size_t forwarded() const {
    return installation.store
        ->read_and_wait([](store::ReadTransaction& reader) {
          return reader.stories("ops@example.com", std::nullopt, 10, std::nullopt);
        })
        .value()
        .stories.size();
  }
};

TEST_F(HandlerTest, ForwardsOnlyWhenNothingElseCanFailAndOnce) {
  const std::vector<Addressee> to{kToPeople, return_path(), kToPeople};
  EXPECT_EQ(take(to), 451) << "its own outcome is not recorded yet";
  EXPECT_EQ(take(to), 451);
  EXPECT_EQ(forwarded(), 0U);
  is_delivered();
  EXPECT_EQ(take(to), 250);
  EXPECT_EQ(forwarded(), 1U);
  EXPECT_EQ(story().state, RecipientState::bounced);
}

TEST_F(HandlerTest, EndsAStoryOnce) {
  is_delivered();
  EXPECT_EQ(take({return_path()}), 250);
  EXPECT_EQ(story().state, RecipientState::bounced);
  const std::size_t attempts = story().attempts.size();
  EXPECT_EQ(take({return_path(), return_path()}), 250);
  EXPECT_EQ(story().attempts.size(), attempts);
  EXPECT_EQ(forwarded(), 0U);
}

TEST_F(HandlerTest, TellsADelayInTheStoryAndChangesNothing) {
  const auto late = [&](std::string_view words) {
    return take({return_path()}, "Action: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: smtp; 451 " +
                                     std::string(words) + "\r\n");
  };
  EXPECT_EQ(late("4.4.1 early"), 250);
  EXPECT_TRUE(story().delays.empty()) << "nobody has taken it yet";
  EXPECT_EQ(story().state, RecipientState::pending);
  is_delivered();
  for (const std::string_view words :
       {"4.4.1 one", "4.4.1 one", "4.4.1 two", "4.4.1 three", "4.4.1 four"}) {
    EXPECT_EQ(late(words), 250);
  }
  const store::Story told = story();
  EXPECT_EQ(told.state, RecipientState::delivered);
  EXPECT_EQ(told.attempts.size(), 1U);
  ASSERT_EQ(told.delays.size(), store::kToldDelaysMax);
  EXPECT_EQ(told.delays.front().outcome.reply.text, "4.4.1 one");
  EXPECT_EQ(told.delays.back().outcome.reply.text, "4.4.1 three");
  EXPECT_EQ(became("delayed"), 4U);
  EXPECT_EQ(became("repeated"), 2U);
  EXPECT_EQ(take({return_path()}), 250) << "and it may come back after all";
  EXPECT_EQ(story().state, RecipientState::bounced);
  EXPECT_EQ(story().delays.size(), store::kToldDelaysMax);
}

TEST_F(HandlerTest, TellsADelayOnceHoweverLongItsReplyIs) {
  is_delivered();
  const std::string words(3'000, 'x');
  for (int times = 0; times < 3; ++times) {
    EXPECT_EQ(
        take({return_path()},
             "Action: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: smtp; 451 " + words + "\r\n"),
        250);
  }
  EXPECT_EQ(story().delays.size(), 1U);
}

TEST_F(HandlerTest, ForwardsThoughNothingIsKnownOfTheMailThatCameBack) {
  Addressee unknown = return_path();
  unknown.token.seq = 7;
  EXPECT_EQ(take({unknown, kToPeople}), 250) << "of a mail that is not stored any more";
  EXPECT_EQ(forwarded(), 1U);
}

TEST_F(HandlerTest, CountsAReaderWhoComplainsOfSeveralMailsOnce) {
  const store::DeliveryKey second = accepted();
  for (const store::DeliveryKey of : {sent, second, sent, second}) {
    EXPECT_EQ(complain(of), 250);
  }
  EXPECT_EQ(complaints_told(), 1U);
  EXPECT_EQ(became("complained"), 1U);
  EXPECT_EQ(became("repeated"), 3U);
  // When the counts of then are over.
  installation.clock.advance(std::chrono::hours(24 * 15));
  EXPECT_EQ(complain(sent), 250);
  EXPECT_EQ(complaints_told(), 1U) << "the same mail";
  EXPECT_EQ(complain(accepted()), 250);
  EXPECT_EQ(complaints_told(), 2U);
}

TEST_F(HandlerTest, PutsOffPeoplesMailWhileWhoReadsItIsSuppressed) {
  const auto entry = [&](store::AccountKey account) {
    return store::NewSuppression{.account = account, .subject = "ops@example.com", .note = {}};
  };
  const auto house = installation.store
                         ->read_and_wait([](store::ReadTransaction& reader) {
                           return reader.account_by_name("house");
                         })
                         .value()
                         .key;
  const std::array entries{entry(house)};
  ASSERT_TRUE(installation.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& writer) -> Result<bool> {
        const auto put = writer.put_suppressions(entries);
        if (!put) return fail(put.error());
        return true;
      }));
  EXPECT_EQ(take({kToPeople}), 451) << "it would be dropped";
  EXPECT_EQ(forwarded(), 0U);
  EXPECT_EQ(
      metrics.counter("todoku_inbound_forwards_put_off_total", "", {{"because", "suppressed"}})
          .value(),
      1U);
  ASSERT_TRUE(installation.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& writer) {
        return writer.remove_suppressions(house, "ops@example.com", std::nullopt, std::nullopt,
                                          "mended", "operator");
      }));
  EXPECT_EQ(take({kToPeople}), 250);
  EXPECT_EQ(forwarded(), 1U);
}

}  // namespace
}  // namespace todoku::inbound
