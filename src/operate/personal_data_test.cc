// SPDX-License-Identifier: Apache-2.0
#include "operate/personal_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operate/operations.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view kTaro = "taro@example.jp";

struct PersonalDataTest : testing::Test {
  TestStore installation;
  Operations operations{*installation.store, installation.clock, Operations::Options{}};
  store::Account shop;

  void SetUp() override {
    const auto added = run(operations.add_account({.name = "shop"}));
    ASSERT_TRUE(added) << added.error().detail;
    shop = added->account;
  }
  // To taro alone; nobody holds it.
  store::Accepted accept() {
    store::Accept accept{.life_time = std::chrono::hours(24)};
    accept.delivery.account = shop.key;
    accept.delivery.content.from.address = "shop@example.com";
    accept.delivery.content.subject = "Hello Taro";
    accept.delivery.content.text_part = "text";
    accept.recipients = {{.address = std::string(kTaro),
                          .domain = "example.jp",
                          .insert_codes = {{"__name__", "Taro"}}}};
    auto accepted = installation.store->perform_and_wait(std::move(accept));
    EXPECT_TRUE(accepted) << accepted.error().detail;
    return std::move(*accepted);
  }
  template <class Work>
  auto write(Work work) {
    return installation.store->write_and_wait(store::WritePriority::accept, std::move(work));
  }
  // To taro and another.
  store::DeliveryKey bulk_to_start(std::optional<Instant> at) {
    store::NewDelivery delivery;
    delivery.account = shop.key;
    delivery.type = DeliveryType::bulk;
    delivery.content.from.address = "shop@example.com";
    const std::vector<store::NewRecipient> to{
        {.address = std::string(kTaro), .domain = "example.jp", .insert_codes = {}},
        {.address = "hana@example.jp", .domain = "example.jp", .insert_codes = {}}};
    const auto bulk =
        write([&](store::WriteTransaction& t) { return t.create_draft(delivery, std::nullopt); });
    EXPECT_TRUE(bulk);
    EXPECT_TRUE(
        write([&](store::WriteTransaction& t) { return t.append_recipients(bulk->key, to); }));
    EXPECT_TRUE(
        write([&](store::WriteTransaction& t) { return t.commit_draft(bulk->key, at, {}); }));
    return bulk->key;
  }
  store::Delivery head(store::DeliveryKey key) {
    return installation.store
        ->read_and_wait([&](store::ReadTransaction& t) { return t.delivery_head(key); })
        .value();
  }
  void settle(const store::RecipientKey& key, RecipientState state) {
    const std::vector<store::OutcomeRecord> records{
        {.key = key,
         .outcome = {.state = state, .reply = {550, "5.1.1 taro@example.jp is unknown"}}}};
    ASSERT_TRUE(
        installation.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}}));
  }
  void finish_all() {
    const auto page = told();
    for (const PersonalMail& mail : page.mails) {
      if (!is_terminal(mail.story.state)) settle(mail.story.key, RecipientState::bounced);
    }
  }
  PersonalPage told(const std::string& account = {}) {
    PersonalPage whole;
    std::string after;
    do {
      auto page = run(operations.personal_data(
          {.address = "Taro@EXAMPLE.jp", .account = account, .after = after}));
      EXPECT_TRUE(page) << page.error().detail;
      std::ranges::move(page->mails, std::back_inserter(whole.mails));
      std::ranges::move(page->stops, std::back_inserter(whole.stops));
      std::ranges::move(page->removals, std::back_inserter(whole.removals));
      after = page->next;
    } while (!after.empty());
    return whole;
  }
  static void add(Erasure& whole, Erasure part) {
    whole.erased += part.erased;
    whole.stopped += part.stopped;
    whole.contents_erased += part.contents_erased;
    whole.stops.hashed += part.stops.hashed;
    std::ranges::move(part.on_their_way, std::back_inserter(whole.on_their_way));
  }
  Erasure erase(Operations& by, bool stop = false) {
    Erasure whole;
    std::string after;
    do {
      auto part = run(by.erase_personal_data(
          {.address = std::string(kTaro), .account = {}, .after = after, .stop = stop}));
      EXPECT_TRUE(part) << part.error().detail;
      after = part->next;
      add(whole, std::move(*part));
    } while (!after.empty());
    return whole;
  }
};

TEST_F(PersonalDataTest, TellsMailsWithTheirCodesWordsAndLists) {
  accept();
  finish_all();
  ASSERT_TRUE(run(operations.add_suppression(
      "shop", {.address = std::string(kTaro), .reason = "unsubscribe", .note = "by mail"})));
  const PersonalPage page = told("shop");
  ASSERT_THAT(page.mails, SizeIs(1));
  EXPECT_EQ(page.mails[0].story.address, kTaro);
  EXPECT_EQ(page.mails[0].insert_codes.at(0).value, "Taro");
  EXPECT_THAT(page.mails[0].story.attempts.at(0).outcome.reply.text, HasSubstr("is unknown"));
  const auto without = run(operations.personal_data(
      {.address = std::string(kTaro), .account = "shop", .after = {}, .with_insert_codes = false}));
  ASSERT_TRUE(without);
  ASSERT_THAT(without->mails, SizeIs(1));
  EXPECT_THAT(without->mails[0].insert_codes, IsEmpty());
  ASSERT_THAT(page.stops, SizeIs(1));
  EXPECT_EQ(page.stops[0].account, "shop");
  EXPECT_EQ(page.stops[0].entry.note, "by mail");
  EXPECT_THAT(told().stops, SizeIs(1)) << "of all accounts: each entry once";
  EXPECT_FALSE(run(operations.personal_data({.address = "taro", .account = {}, .after = {}})));
  EXPECT_EQ(run(operations.personal_data(
                    {.address = std::string(kTaro), .account = {}, .after = "elsewhere"}))
                .error()
                .kind,
            ErrorKind::invalid_input);
}

TEST_F(PersonalDataTest, TellsAndErasesMoreMailsThanOnePartHas) {
  for (int i = 0; i < 60; ++i) accept();
  finish_all();
  EXPECT_THAT(told().mails, SizeIs(60));
  const Erasure erased = erase(operations);
  EXPECT_EQ(erased.erased, 60);
  EXPECT_EQ(erased.contents_erased, 60);
  EXPECT_THAT(erased.on_their_way, IsEmpty());
  EXPECT_THAT(told().mails, IsEmpty());
}

TEST_F(PersonalDataTest, LeavesWhatIsOnItsWayUnlessItIsToBeStopped) {
  accept();
  const Erasure left = erase(operations);
  EXPECT_EQ(left.erased, 0);
  ASSERT_THAT(left.on_their_way, SizeIs(1));
  EXPECT_EQ(left.on_their_way[0].account, "shop");
  EXPECT_THAT(told().mails, SizeIs(1));

  const Erasure stopped = erase(operations, true);
  EXPECT_EQ(stopped.stopped, 1);
  EXPECT_EQ(stopped.erased, 1);
  EXPECT_THAT(stopped.on_their_way, IsEmpty());
  EXPECT_THAT(told().mails, IsEmpty());
}

TEST_F(PersonalDataTest, TakesOnePersonOutOfABulkThatIsReserved) {
  const Instant at = installation.clock.now() + std::chrono::hours(3);
  const store::DeliveryKey bulk = bulk_to_start(at);
  EXPECT_THAT(erase(operations).on_their_way, SizeIs(1)) << "only where it is to be stopped";

  const Erasure stopped = erase(operations, true);
  EXPECT_EQ(stopped.stopped, 1);
  EXPECT_EQ(stopped.erased, 1);
  EXPECT_THAT(stopped.on_their_way, IsEmpty());
  EXPECT_THAT(told().mails, IsEmpty());
  EXPECT_EQ(head(bulk).status, DeliveryStatus::reserve);
  EXPECT_EQ(head(bulk).reservation, at) << "it goes on as it was";
  EXPECT_EQ(head(bulk).counts.total, 1) << "to the others";
}

// Its account was suspended when it was committed: it starts when that is over.
TEST_F(PersonalDataTest, TakesOnePersonOutOfABulkThatWaitsForItsAccount) {
  const store::DeliveryKey bulk = bulk_to_start(std::nullopt);
  const Erasure stopped = erase(operations, true);
  EXPECT_EQ(stopped.stopped, 1);
  EXPECT_THAT(stopped.on_their_way, IsEmpty());
  EXPECT_THAT(told().mails, IsEmpty());
  EXPECT_EQ(head(bulk).status, DeliveryStatus::wait) << "it goes on as it was";
  EXPECT_EQ(head(bulk).counts.total, 1);
}

TEST_F(PersonalDataTest, LeavesWhatOthersWaitForWithItsAddressInTheirHeader) {
  store::Accept wanted{.life_time = std::chrono::hours(24)};
  wanted.delivery.account = shop.key;
  wanted.delivery.content.from.address = "shop@example.com";
  wanted.delivery.content.subject = "Hello";
  wanted.delivery.content.text_part = "text";
  wanted.delivery.content.header_to = {std::string(kTaro)};
  wanted.delivery.content.header_cc = {"hanako@example.jp"};
  wanted.recipients = {{.address = std::string(kTaro), .domain = "example.jp"},
                       {.address = "hanako@example.jp", .domain = "example.jp"}};
  ASSERT_TRUE(installation.store->perform_and_wait(std::move(wanted)));
  finish_all();
  const Erasure left = erase(operations);
  EXPECT_EQ(left.erased, 0);
  ASSERT_THAT(left.on_their_way, SizeIs(1));
  EXPECT_TRUE(left.on_their_way[0].others_wait);
  EXPECT_THAT(told().mails, SizeIs(1));
}

TEST_F(PersonalDataTest, GoesOnWhereverItWasBrokenOff) {
  for (int i = 0; i < 30; ++i) accept();
  finish_all();
  FailingStore failing(*installation.store);
  Operations broken(failing, installation.clock, Operations::Options{});
  std::int64_t erased = 0;
  for (int n = 1; n < 100; ++n) {
    failing.fail_calls(failing.calls() + n, 1'000);
    std::string after;
    bool whole = true;
    do {
      auto part = run(broken.erase_personal_data(
          {.address = std::string(kTaro), .account = {}, .after = after}));
      whole = part.has_value();
      if (!part) break;
      erased += part->erased;
      after = part->next;
    } while (!after.empty());
    if (whole) break;
  }
  EXPECT_EQ(erased, 30) << "each once";
  EXPECT_THAT(told().mails, IsEmpty());
}

TEST_F(PersonalDataTest, FilesOfExportsGoThoughNothingElseIsFound) {
  const auto job = installation.store->write_and_wait(
      store::WritePriority::accept,
      [&](store::WriteTransaction& writer) -> Result<store::ExportJob> {
        const store::NodeKey node{1};
        auto made = writer.create_export(
            {.account = shop.key, .kind = store::ExportKind::error_list, .parameters = ""});
        if (!made) return made;
        auto done = writer.take_export(shop.key, made->id, node);
        if (done) {
          done = writer.end_export(
              shop.key, made->id, node,
              {.status = store::ExportStatus::finished, .total = 1, .file = "made.csv"});
        }
        if (!done) return fail(std::move(done.error()));
        return made;
      });
  ASSERT_TRUE(job) << job.error().detail;
  std::int64_t exports = 0;
  std::string after;
  do {
    const auto part = run(operations.erase_personal_data(
        {.address = std::string(kTaro), .account = {}, .after = after}));
    ASSERT_TRUE(part);
    EXPECT_EQ(part->erased + part->stops.hashed + part->stops.removed, 0);
    exports += part->exports;
    after = part->next;
  } while (!after.empty());
  EXPECT_EQ(exports, 1);
}

TEST_F(PersonalDataTest, KeepsAnOptOutAsAHashWhichItsAddressFinds) {
  ASSERT_TRUE(run(operations.add_suppression(
      "shop", {.address = std::string(kTaro), .reason = "unsubscribe"})));
  EXPECT_EQ(erase(operations).stops.hashed, 1);
  const auto look = run(operations.look_suppression("shop", std::string(kTaro)));
  ASSERT_TRUE(look);
  ASSERT_THAT(look->entries, SizeIs(1));
  EXPECT_THAT(look->entries[0].subject, Not(HasSubstr("taro")));
  EXPECT_THAT(run(operations.remove_suppression(
                      "shop", {.address = std::string(kTaro), .list_id = {}, .why = "he asked"}))
                  .value(),
              SizeIs(1));
}

TEST_F(PersonalDataTest, IsAuditedBeforeItIsAnswered) {
  (void)told();
  (void)erase(operations);
  const auto audit = run(operations.audit({.since = {}, .address = std::string(kTaro)}));
  ASSERT_TRUE(audit);
  ASSERT_THAT(audit->lines, SizeIs(2)) << "once, however many parts";
  EXPECT_EQ(audit->lines[0].entry.action, "personal_data.export");
  EXPECT_EQ(audit->lines[1].entry.action, "personal_data.delete");
  EXPECT_EQ(audit->lines[1].entry.actor, "operator");
  EXPECT_THAT(run(operations.audit({.since = {}, .address = "jiro@example.jp"}))->lines, IsEmpty());
  EXPECT_EQ(run(operations.audit({.since = "yesterday", .address = {}})).error().kind,
            ErrorKind::invalid_input);
  EXPECT_EQ(run(operations.audit({.since = {}, .address = {}, .after = 0, .limit = 1}))->next,
            audit->lines[0].entry.number);
}

TEST_F(PersonalDataTest, APartIsAuditedThoughNoBeginningWasAskedFor) {
  const auto lines = [&] {
    return run(operations.audit({.since = {}, .address = std::string(kTaro)}))->lines.size();
  };
  const auto told_from = [&](std::string after, std::string actor) {
    return run(operations.personal_data({.address = std::string(kTaro),
                                         .account = "shop",
                                         .after = std::move(after),
                                         .asker = {.actor = std::move(actor)}}))
        .has_value();
  };
  ASSERT_TRUE(told_from("m0", "api key 1"));
  EXPECT_EQ(lines(), 1U);
  ASSERT_TRUE(told_from("l0", "api key 1"));
  EXPECT_EQ(lines(), 1U) << "the same again";
  ASSERT_TRUE(told_from("l0", "api key 2"));
  EXPECT_EQ(lines(), 2U) << "somebody else";
  ASSERT_TRUE(run(operations.erase_personal_data({.address = std::string(kTaro),
                                                  .account = "shop",
                                                  .after = "l0",
                                                  .asker = {.actor = "api key 2"}})));
  EXPECT_EQ(lines(), 3U) << "something else";
  installation.clock.advance(std::chrono::minutes(10));
  ASSERT_TRUE(told_from("l0", "api key 1"));
  EXPECT_EQ(lines(), 4U) << "much later";
}

TEST_F(PersonalDataTest, APartThatCouldNotBeAuditedIsNotDoneAndNotTakenForAudited) {
  ASSERT_TRUE(run(operations.add_suppression(
      "shop", {.address = std::string(kTaro), .reason = "unsubscribe"})));
  FailingStore failing(*installation.store);
  Operations broken(failing, installation.clock, Operations::Options{});
  const auto erase_part = [&] {
    return run(
        broken.erase_personal_data({.address = std::string(kTaro), .account = {}, .after = "l0"}));
  };
  failing.fail_calls(failing.calls() + 1, 1);  // the line
  EXPECT_FALSE(erase_part());
  const auto second = erase_part();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->stops.hashed, 1) << "the first has erased nothing";
  EXPECT_THAT(run(operations.audit({.since = {}, .address = std::string(kTaro)}))->lines,
              SizeIs(1));
}

TEST_F(PersonalDataTest, AnAccountIsKeptForTimesOfItsOwn) {
  EXPECT_EQ(*run(operations.keep_for("shop", std::nullopt, std::nullopt)), store::KeptFor{});
  EXPECT_EQ(*run(operations.keep_for("shop", 30, std::nullopt)),
            (store::KeptFor{.content_days = 30, .story_days = 0}));
  EXPECT_EQ(*run(operations.keep_for("shop", std::nullopt, 365)),
            (store::KeptFor{.content_days = 30, .story_days = 365}));
  EXPECT_FALSE(run(operations.keep_for("nobody", 1, 1)));
}

}  // namespace
}  // namespace todoku::operate
