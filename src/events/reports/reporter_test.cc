// SPDX-License-Identifier: Apache-2.0
// What senders are told, on a real store, in time that the test moves.
#include "events/reports/reporter.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/installation.h"

namespace todoku::events::reports {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::string_view kHead =
    "From: shop@sender.example\r\n"
    "Subject: order\r\n"
    "Message-ID: <one@sender.example>\r\n";

struct Told {
  store::Delivery delivery;
  std::string message;
};

class ReporterTest : public ::testing::Test {
 protected:
  template <class Work>
  auto write(Work work) {
    return store_.store->write_and_wait(store::WritePriority::accept, std::move(work)).value();
  }
  ReporterTest() {
    account_ = write([](store::WriteTransaction& t) { return t.create_account("shop"); }).key;
    node_ = enter("a");
    (void)add_credential("mailer", true);
    reporter_ = reporter(node_);
    turn();  // what was before concerns nobody
  }

  store::NodeKey enter(std::string name) {
    return write([&](store::WriteTransaction& t) { return t.enter_node({.name = name}); });
  }
  store::SmtpCredential add_credential(std::string name, bool bounces) {
    store::SmtpCredential credential{.account = account_, .name = std::move(name)};
    credential.settings.bounces = bounces;
    credential.secret = "secret";
    return write([&](store::WriteTransaction& t) { return t.add_smtp_credential(credential); });
  }
  std::unique_ptr<Reporter> reporter(store::NodeKey node) {
    return std::make_unique<Reporter>(
        Reporter::World{.store = *store_.store,
                        .clock = store_.clock,
                        .metrics = metrics_.emplace_back(),
                        .node = [node] { return node; },
                        .holds = [] { return true; },
                        .is_accounts = [](store::AccountKey, std::string_view domain,
                                          std::string_view) { return domain == "sender.example"; },
                        .meaning = [](const Outcome&, Language) { return std::string("why"); },
                        .work_arrived = {}},
        ReporterOptions{.host = "mail.sender.example", .message_id_domain = "sender.example"},
        context_.get_executor());
  }
  void turn() {
    while (run(reporter_->turn())) continue;
  }
  // As its process dies and another begins.
  void kill() {
    reporter_.reset();
    node_ = enter("a");  // the one before is void
    reporter_ = reporter(node_);
  }
  void pass(Milliseconds time) {
    for (; time > 0ms; time -= 500ms) {
      store_.clock.advance(std::min<Milliseconds>(time, 500ms));
      turn();
    }
  }

  store::Accepted mail(RelayedEnvelope envelope, std::vector<store::NewRecipient> recipients,
                       std::string_view fields = {}) {
    store::Accept accept;
    accept.delivery.account = account_;
    accept.delivery.type = DeliveryType::smtp;
    accept.delivery.content.from = {"shop@sender.example", {}};
    accept.delivery.content.subject = "order";
    std::string octets = fmt::format("{}{}\r\n", kHead, fields);
    envelope.head_octets = octets.size();
    if (envelope.credential.empty()) envelope.credential = "mailer";
    accept.delivery.content.relayed = std::move(envelope);
    accept.delivery.content.attachments = {{"", "message/rfc822", octets + "the text\r\n"}};
    accept.recipients = std::move(recipients);
    accept.life_time = 24h;
    accept.holder = node_;
    return store_.store->perform_and_wait(std::move(accept)).value();
  }
  store::Accepted mail(std::vector<store::NewRecipient> recipients) {
    return mail({.mail_from = "boss@sender.example"}, std::move(recipients));
  }
  static store::NewRecipient to(std::string local, std::vector<InsertCode> wishes = {}) {
    return {std::move(local) + "@example.jp", "example.jp", std::move(wishes)};
  }
  void settle(const store::RecipientKey& key, Outcome outcome) {
    store::OutcomeRecord record{
        .key = key, .outcome = std::move(outcome), .path = {.mx_host = "mx.example.jp"}};
    if (record.outcome.state == RecipientState::deferred) record.wait = 10min;
    const std::vector<store::OutcomeRecord> records{record};
    const auto settled =
        store_.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}});
    ASSERT_TRUE(settled && settled->outcomes[0]);
  }
  void bounce(const store::Accepted& mail, std::uint32_t seq) {
    settle({mail.delivery.key, 0, seq}, {.state = RecipientState::bounced,
                                         .stage = Stage::rcpt_to,
                                         .reply = {550, "5.1.1 No such user"}});
  }
  void defer(const store::Accepted& mail, std::uint32_t seq) {
    settle({mail.delivery.key, 0, seq},
           {.state = RecipientState::deferred, .stage = Stage::rcpt_to, .reply = {450, "4.2.0 l"}});
  }

  // Reports, the oldest first.
  std::vector<Told> told() {
    return store_.store
        ->read_and_wait([&](store::ReadTransaction& t) -> Result<std::vector<Told>> {
          const auto found = t.match_deliveries(
              {.account = account_}, store::DeliveryOrder::newest_first, std::nullopt, 1'000);
          if (!found) return fail(found.error());
          std::vector<Told> all;
          for (const store::DeliveryMatch& match : found->matches) {
            auto delivery = t.delivery(match.key);
            const auto content = t.content(match.key);
            if (!delivery || !content) return fail(ErrorKind::corrupt, "gone");
            if (!delivery->content.relayed->credential.empty()) continue;
            all.push_back({std::move(*delivery), content->attachments.at(0).data});
          }
          std::ranges::reverse(all);
          return all;
        })
        .value();
  }

  TestStore store_;
  boost::asio::io_context context_;
  std::deque<Metrics> metrics_;
  store::AccountKey account_{};
  store::NodeKey node_{};
  std::unique_ptr<Reporter> reporter_;
};

TEST_F(ReporterTest, WhatFailsTogetherIsToldTogetherAndOnce) {
  const auto sent = mail({.mail_from = "boss@sender.example", .envid = "QQ1", .ret = 2},
                         {to("one"), to("two", {{"ORCPT", "rfc822;first@example.com"}}),
                          to("three"), to("four", {{"NOTIFY", "NEVER"}})});
  bounce(sent, 0);
  pass(500ms);
  bounce(sent, 1);
  bounce(sent, 3);
  settle({sent.delivery.key, 0, 2},
         {.state = RecipientState::delivered, .stage = Stage::accepted, .reply = {250, {}}});
  pass(1min);
  const auto reports = told();
  ASSERT_THAT(reports, SizeIs(1));
  const store::Delivery& report = reports[0].delivery;
  EXPECT_EQ(report.type, DeliveryType::smtp);
  EXPECT_EQ(report.traffic, TrafficClass::transactional);
  EXPECT_EQ(report.status, DeliveryStatus::wait) << "it begins at once";
  EXPECT_EQ(report.content.from.address, "MAILER-DAEMON@mail.sender.example");
  EXPECT_EQ(report.content.relayed->mail_from, "");
  EXPECT_EQ(report.counts.total, 1);
  const std::string& text = reports[0].message;
  EXPECT_THAT(text, HasSubstr("To: boss@sender.example"));
  EXPECT_THAT(text, HasSubstr("Original-Envelope-Id: QQ1"));
  EXPECT_THAT(text, HasSubstr("Final-Recipient: rfc822; one@example.jp"));
  EXPECT_THAT(text, HasSubstr("Original-Recipient: rfc822; first@example.com"));
  EXPECT_THAT(text, HasSubstr("Status: 5.1.1"));
  EXPECT_THAT(text, HasSubstr("In-Reply-To: <one@sender.example>"));
  EXPECT_THAT(text, Not(HasSubstr("three@")));
  EXPECT_THAT(text, Not(HasSubstr("four@"))) << "NOTIFY=NEVER";
  EXPECT_THAT(text, Not(HasSubstr("the text"))) << "RET=HDRS";
}

TEST_F(ReporterTest, NothingIsForgottenOrToldTwiceWheneverItDies) {
  const auto sent = mail({to("one"), to("two")});
  bounce(sent, 0);
  kill();  // nothing was read
  turn();
  kill();  // it waits
  pass(1s);
  kill();
  pass(5s);
  ASSERT_THAT(told(), SizeIs(1));
  kill();  // it was told
  pass(1min);
  EXPECT_THAT(told(), SizeIs(1));
  bounce(sent, 1);
  kill();
  pass(1min);
  const auto reports = told();
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_THAT(reports[1].message, HasSubstr("two@example.jp"));
  EXPECT_THAT(reports[1].message, Not(HasSubstr("one@example.jp")));
}

TEST_F(ReporterTest, OfSeveralProcessesOneTells) {
  const auto second = reporter(enter("b"));
  const auto sent = mail({to("one")});
  bounce(sent, 0);
  for (int i = 0; i < 10; ++i) {
    store_.clock.advance(1s);
    (void)run(second->turn());
    turn();
  }
  EXPECT_THAT(told(), SizeIs(1));
  (void)enter("a");  // the first one is void, and the other goes on
  bounce(mail({to("two")}), 0);
  for (int i = 0; i < 10; ++i) {
    store_.clock.advance(1s);
    (void)run(second->turn());
    (void)run(reporter_->turn());
  }
  EXPECT_THAT(told(), SizeIs(2));
}

TEST_F(ReporterTest, WhoIsNobodyOrAStrangerIsNotTold) {
  (void)add_credential("silent", false);
  bounce(mail({.mail_from = ""}, {to("one")}), 0);
  bounce(mail({.mail_from = "victim@elsewhere.example"}, {to("one")}), 0);
  bounce(mail({.mail_from = "boss@sender.example", .credential = "silent"}, {to("one")}), 0);
  bounce(mail({.mail_from = "boss@sender.example"}, {to("one")},
              "Auto-Submitted: auto-replied (vacation)\r\n"),
         0);
  bounce(mail({.mail_from = "boss@sender.example"}, {to("one")},
              "Auto-Submitted: auto-generated\r\nAuto-Submitted: (vacation) auto-replied\r\n"),
         0);
  bounce(mail({.mail_from = "boss@sender.example"}, {to("one")},
              "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=a\r\n"),
         0);
  pass(1min);
  EXPECT_THAT(told(), IsEmpty());
  bounce(
      mail({.mail_from = "boss@sender.example"}, {to("one")}, "Auto-Submitted: auto-generated\r\n"),
      0);
  pass(1min);
  EXPECT_THAT(told(), SizeIs(1)) << "its owner wants to know";
}

TEST_F(ReporterTest, NothingIsReportedOfAReport) {
  bounce(mail({to("one")}), 0);
  pass(10s);
  const auto reports = told();
  ASSERT_THAT(reports, SizeIs(1));
  const store::DeliveryKey key = reports[0].delivery.key;
  write([&](store::WriteTransaction& t) { return t.start_delivery(key, "", 24h); });
  const auto due = store_.store->perform_and_wait(store::Due{});
  ASSERT_TRUE(due && due->domains.size() == 1);
  const store::BatchKey batch = due->domains[0].batches.at(0).key;
  ASSERT_EQ(batch.delivery, key);
  settle({key, batch.batch, 0},
         {.state = RecipientState::bounced, .stage = Stage::data, .reply = {550, "5.7.1 no"}});
  pass(1min);
  EXPECT_THAT(told(), SizeIs(1));
}

TEST_F(ReporterTest, ADelayIsToldOnceAndTheEndByItself) {
  const auto sent =
      mail({to("one"), to("two", {{"NOTIFY", "FAILURE"}}), to("three", {{"NOTIFY", "DELAY"}})});
  const auto fail_all = [&] {
    for (std::uint32_t seq = 0; seq < 3; ++seq) defer(sent, seq);
  };
  fail_all();
  store_.clock.advance(3h);
  fail_all();
  pass(1min);
  EXPECT_THAT(told(), IsEmpty());
  store_.clock.advance(1h);
  fail_all();
  pass(1min);
  auto reports = told();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports[0].message, HasSubstr("Action: delayed"));
  EXPECT_THAT(reports[0].message, HasSubstr("one@example.jp"));
  EXPECT_THAT(reports[0].message, HasSubstr("three@example.jp"));
  EXPECT_THAT(reports[0].message, Not(HasSubstr("two@example.jp")));
  store_.clock.advance(1h);
  fail_all();
  pass(1min);
  EXPECT_THAT(told(), SizeIs(1)) << "once";
  store_.clock.advance(19h);
  fail_all();
  store_.clock.advance(1h);
  fail_all();  // beyond their life
  pass(1min);
  reports = told();
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_THAT(reports[1].message, HasSubstr("Status: 5.4.7"));
  EXPECT_THAT(reports[1].message, HasSubstr("two@example.jp"));
  EXPECT_THAT(reports[1].message, Not(HasSubstr("three@example.jp"))) << "NOTIFY=DELAY alone";
}

TEST_F(ReporterTest, SuccessIsToldToWhoAsksWhereTheReceiverDoesNot) {
  const auto sent = mail({to("one", {{"NOTIFY", "SUCCESS"}}), to("two", {{"NOTIFY", "SUCCESS"}})});
  const Outcome taken{
      .state = RecipientState::delivered, .stage = Stage::accepted, .reply = {250, "2.0.0 Ok"}};
  Outcome untold = taken;
  untold.sender_to_tell = true;
  settle({sent.delivery.key, 0, 0}, untold);
  settle({sent.delivery.key, 0, 1}, taken);
  pass(1min);
  const auto reports = told();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports[0].message, HasSubstr("Action: relayed"));
  EXPECT_THAT(reports[0].message, HasSubstr("one@example.jp"));
  EXPECT_THAT(reports[0].message, Not(HasSubstr("two@example.jp")));
}

TEST_F(ReporterTest, AThousandFailuresAreAFewReportsInTheSendersLanguage) {
  std::vector<store::NewRecipient> recipients;
  for (int i = 0; i < 300; ++i) recipients.push_back(to(fmt::format("u{}", i)));
  const auto sent = mail({.mail_from = "boss@sender.example"}, std::move(recipients),
                         "Content-Type: text/plain; charset=ISO-2022-JP\r\n");
  for (std::uint32_t seq = 0; seq < 300; ++seq) bounce(sent, seq);
  pass(1min);
  const auto reports = told();
  ASSERT_THAT(reports, SizeIs(3));
  EXPECT_THAT(reports[0].delivery.content.subject, HasSubstr("届"));
}

TEST_F(ReporterTest, WhatWasDeletedIsPassedOver) {
  const auto sent = mail({to("one")});
  bounce(sent, 0);
  turn();
  write([&](store::WriteTransaction& t) { return t.delete_delivery(sent.delivery.key); });
  pass(1min);
  EXPECT_THAT(told(), IsEmpty());
  bounce(mail({to("two")}), 0);
  pass(1min);
  EXPECT_THAT(told(), SizeIs(1));
}

}  // namespace
}  // namespace todoku::events::reports
