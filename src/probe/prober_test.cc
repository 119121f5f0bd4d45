// SPDX-License-Identifier: Apache-2.0
// What becomes of probes, on a real store, in time that the test moves; mailboxes are made up.
#include "probe/prober.h"

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "support/installation.h"

namespace todoku::probe {
namespace {

using namespace std::chrono_literals;
using store::ProbePlace;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ProberTest : public ::testing::Test {
 protected:
  ProberTest() {
    options_.senders = {"a@sender.example"};
    options_.text = "test";
    add_mailbox("gmail");
  }
  void add_mailbox(const std::string& name) {
    options_.mailboxes.push_back({.name = name,
                                  .provider = name,
                                  .address = "seed@" + name + ".example",
                                  .authserv_id = "mx.example.com",
                                  .access = [name] { return MailboxAccess{.host = name}; }});
  }
  // Another process each time.
  Task<Result<std::size_t>> one_round() {
    Prober prober(world(), options_, co_await boost::asio::this_coro::executor);
    co_return co_await prober.round();
  }
  std::size_t round() { return run(one_round()).value(); }
  Prober::World world() {
    return {.store = *store_.store,
            .clock = store_.clock,
            .metrics = metrics_,
            .holds = [] { return true; },
            .hand_over = [this](ProbeMail mail) { return hand_over(std::move(mail)); },
            .secret = "secret",
            .find = [this](const MailboxAccess& access, const MailboxWish& wish, const Clock&,
                           const std::atomic<bool>&) { return find(access, wish); }};
  }
  Task<Result<store::DeliveryKey>> hand_over(ProbeMail mail) {
    mails_.push_back(std::move(mail));
    if (refusal_) co_return fail(*refusal_);
    co_return store::DeliveryKey{99};
  }
  Result<std::optional<FoundMail>> find(const MailboxAccess& access, const MailboxWish& wish) {
    ++looks_;
    if (unreadable_) return fail(*unreadable_);
    const auto found = folders_.find(access.host);
    if (found == folders_.end()) return std::nullopt;
    return FoundMail{.folder = {.name = "x", .shown = "迷惑メール", .place = found->second},
                     .header =
                         "Authentication-Results: mx.example.com; spf=pass; dkim=fail\r\n"
                         "Authentication-Results: forged.example; dmarc=pass\r\nSubject: " +
                         wish.token + "\r\n"};
  }
  void ask(std::string token = "0123456789", std::string mailbox = "gmail",
           ProbePlace place = ProbePlace::waiting) {
    const Instant now = store_.store->clock().now();
    store::Probe probe{.token = std::move(token),
                       .mailbox = std::move(mailbox),
                       .asked = now,
                       .due = now,
                       .news = {}};
    probe.news.sender = "a@sender.example";
    probe.news.place = place;
    ASSERT_TRUE(store_.store
                    ->write_and_wait(store::WritePriority::accept,
                                     [&](store::WriteTransaction& t) { return t.ask_probe(probe); })
                    .value());
  }
  std::vector<store::Probe> told() {
    return store_.store->read_and_wait([](store::ReadTransaction& t) { return t.probes({}); })
        .value();
  }
  store::Probe only() {
    auto probes = told();
    EXPECT_THAT(probes, SizeIs(1));
    return probes.front();
  }
  // Rounds until it is over; how long that took.
  Milliseconds until_over() {
    const Instant begin = store_.clock.now();
    while (only().due && store_.clock.now() - begin < 2h) {
      (void)round();
      store_.clock.advance(1s);
    }
    return std::chrono::duration_cast<Milliseconds>(store_.clock.now() - begin);
  }

  TestStore store_;
  Metrics metrics_;
  ProbeOptions options_;
  std::vector<ProbeMail> mails_;
  std::map<std::string, ProbePlace> folders_;
  std::optional<Error> refusal_;
  std::optional<Error> unreadable_;
  int looks_ = 0;
};

TEST_F(ProberTest, IsHandedOverOnceAndLookedForUntilItsTimeIsOver) {
  ask();
  EXPECT_EQ(round(), 1U);
  ASSERT_THAT(mails_, SizeIs(1));
  EXPECT_EQ(mails_[0].to, "seed@gmail.example");
  EXPECT_EQ(mails_[0].from, "a@sender.example");
  EXPECT_EQ(mails_[0].subject, "todoku 0123456789");
  EXPECT_EQ(mails_[0].expires_in, options_.most);
  EXPECT_EQ(round(), 0U) << "it is looked for a little later";
  const auto lasted = until_over();
  EXPECT_GE(lasted, options_.most);
  EXPECT_LE(lasted, options_.most + 90s);
  EXPECT_THAT(mails_, SizeIs(1));
  const store::Probe probe = only();
  EXPECT_EQ(probe.news.place, ProbePlace::refused) << "no receiver has taken it";
  EXPECT_EQ(looks_, 1) << "the mailbox is not asked for what nobody has taken, but at the end";
  EXPECT_EQ(round(), 0U);
}

TEST_F(ProberTest, WhatIsFoundIsKeptWithTheReceiversOwnWords) {
  folders_["gmail"] = ProbePlace::junk;
  ask();
  (void)until_over();
  const store::ProbeNews news = only().news;
  EXPECT_EQ(news.place, ProbePlace::junk);
  EXPECT_EQ(news.folder, "迷惑メール");
  EXPECT_EQ(news.spf, "pass");
  EXPECT_EQ(news.dkim, "fail");
  EXPECT_EQ(news.dmarc, "") << "another's words";
  ASSERT_TRUE(news.found && news.sent);
  EXPECT_GE(*news.found - *news.sent, options_.most);
  EXPECT_EQ(metrics_.counter("todoku_probes_total", "", {{"mailbox", "gmail"}, {"place", "junk"}})
                .value(),
            1U);
}

TEST_F(ProberTest, AMailThatIsNotTakenIsNotKnown) {
  refusal_ = Error{ErrorKind::invalid_input, "the From domain is not proven"};
  ask();
  EXPECT_EQ(round(), 1U);
  EXPECT_EQ(only().news.place, ProbePlace::failed);
  EXPECT_EQ(only().news.detail, "the From domain is not proven");
  EXPECT_EQ(only().due, std::nullopt);
}

TEST_F(ProberTest, AnEngineThatIsBusyIsAskedAgain) {
  refusal_ = Error{ErrorKind::unavailable, "the store is busy"};
  ask();
  (void)round();
  EXPECT_EQ(only().news.place, ProbePlace::waiting);
  refusal_.reset();
  store_.clock.advance(60s);
  (void)round();
  EXPECT_TRUE(only().news.sent);
  EXPECT_THAT(mails_, SizeIs(2));
}

TEST_F(ProberTest, AMailboxThatCannotBeReadSaysWhy) {
  unreadable_ = Error{ErrorKind::unauthorized, "imap.example: login denied"};
  ask();
  (void)until_over();
  EXPECT_EQ(only().news.place, ProbePlace::failed);
  EXPECT_THAT(only().news.detail, HasSubstr("login denied"));
}

// Of a damaged row stores tell that it has failed.
TEST_F(ProberTest, WhatHasFailedAlreadyIsEndedAndIsNotHandedOver) {
  ask("0123456789", "gmail", ProbePlace::failed);
  EXPECT_EQ(round(), 1U);
  EXPECT_THAT(mails_, IsEmpty());
  EXPECT_EQ(only().news.place, ProbePlace::failed);
  EXPECT_EQ(only().due, std::nullopt);
  EXPECT_EQ(round(), 0U);
}

TEST_F(ProberTest, ALoginThatIsRefusedEndsItAtOnceAndIsToldAsSuch) {
  unreadable_ = Error{ErrorKind::unauthorized, "imap.example: login denied"};
  ask();
  (void)round();
  store::Probe probe = only();
  ASSERT_TRUE(probe.due);
  probe.news.accepted = store_.clock.now();  // the receiver has taken it
  ASSERT_TRUE(store_.store
                  ->write_and_wait(
                      store::WritePriority::accept,
                      [&](store::WriteTransaction& t) { return t.keep_probe(probe, *probe.due); })
                  .value());
  std::vector<std::string> lines;
  log::capture_this_thread(
      [&lines](log::Level, std::string_view event, log::Fields) { lines.emplace_back(event); });
  EXPECT_LE(until_over(), 10s);
  log::capture_this_thread({});
  EXPECT_EQ(only().news.place, ProbePlace::failed);
  EXPECT_THAT(only().news.detail, HasSubstr("login denied"));
  EXPECT_EQ(looks_, 1) << "no second login with what is refused";
  EXPECT_THAT(lines, Contains("probe ended without a result"));
}

TEST_F(ProberTest, AMailboxThatIsGoneEndsItsProbes) {
  ask("0123456789", "gone");
  (void)round();
  EXPECT_EQ(only().news.place, ProbePlace::failed);
}

TEST_F(ProberTest, TheScheduleAsksOnceForEachMailboxAndSenderHoweverManyLook) {
  add_mailbox("yahoo");
  options_.senders.emplace_back("b@sender.example");
  options_.every = 1h;
  (void)round();
  EXPECT_THAT(told(), SizeIs(4));
  (void)round();  // another process, in the same hour
  EXPECT_THAT(told(), SizeIs(4));
  store_.clock.advance(1h);
  (void)round();
  EXPECT_THAT(told(), SizeIs(8));
  std::set<std::string> tokens;
  for (const store::Probe& probe : told()) tokens.insert(probe.token);
  EXPECT_THAT(tokens, SizeIs(8));
}

TEST_F(ProberTest, HistoryGoesAfterItsTime) {
  options_.keep = std::chrono::days(2);
  refusal_ = Error{ErrorKind::invalid_input, "no"};
  ask();
  (void)round();
  store_.clock.advance(24h);
  (void)round();
  EXPECT_THAT(told(), SizeIs(1));
  store_.clock.advance(25h);
  (void)round();
  EXPECT_THAT(told(), IsEmpty());
}

TEST(ProbeLooks, AreEverFurtherApart) {
  EXPECT_EQ(next_look(0s), 2s);
  EXPECT_EQ(next_look(40s), 10s);
  EXPECT_EQ(next_look(1h), 60s);
  EXPECT_NE(random_token(), random_token());
  EXPECT_THAT(random_token(), SizeIs(20));
}

}  // namespace
}  // namespace todoku::probe
