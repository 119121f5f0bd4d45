// SPDX-License-Identifier: Apache-2.0
#include "app/retention.h"

#include <gtest/gtest.h>

#include "store/personal_data.h"
#include "store/walks.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

class RetentionTest : public testing::Test {
 protected:
  store::AccountKey account(std::string name) {
    return installation_.store
        ->write_and_wait(store::WritePriority::accept,
                         [name](store::WriteTransaction& t) { return t.create_account(name); })
        ->key;
  }
  // A transaction; over, unless it is to stay open.
  store::DeliveryKey mail(store::AccountKey owner, bool is_over = true) {
    store::Accept accept{.life_time = std::chrono::hours(24)};
    accept.delivery.account = owner;
    accept.delivery.content.from.address = "shop@example.com";
    accept.delivery.content.subject = "Hello";
    accept.delivery.content.text_part = "text";
    accept.recipients = {
        {.address = "taro@example.jp", .domain = "example.jp", .insert_codes = {}}};
    const auto accepted = installation_.store->perform_and_wait(std::move(accept));
    EXPECT_TRUE(accepted) << accepted.error().detail;
    const store::DeliveryKey key = accepted->delivery.key;
    if (is_over) end_newest(owner);
    return key;
  }
  void end_newest(store::AccountKey owner) {
    store::StorySearch search("taro@example.jp", owner, 1);
    EXPECT_TRUE(store::walk_and_wait(*installation_.store, search));
    const std::vector<store::OutcomeRecord> records{
        {.key = search.take().at(0).key, .outcome = {.state = RecipientState::delivered}}};
    EXPECT_TRUE(
        installation_.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}}));
  }
  void put(const std::string& setting, const std::string& value) {
    ASSERT_TRUE(installation_.store->write_and_wait(
        store::WritePriority::accept,
        [&](store::WriteTransaction& t) { return t.put_setting(setting, value); }));
  }
  Instant erased_until(store::AccountKey owner) {
    const auto until = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return store::erased_until(t, owner); });
    return until ? until->value_or(Instant{}) : Instant{};
  }
  void keep_for(store::AccountKey owner, const store::KeptFor& kept) {
    ASSERT_TRUE(installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) {
          return t.put_setting(store::retention_setting(owner), store::written(kept));
        }));
  }
  Task<Result<std::int64_t>> pass_once(Retention::Rules rules, store::NodeKey node = {}) {
    const auto executor = co_await boost::asio::this_coro::executor;
    Retention retention(*installation_.store, executor, installation_.clock, rules,
                        [node] { return node; });
    co_return co_await retention.pass();
  }
  // "Hello", "[erased]", or "" if the delivery is gone.
  std::string subject(store::DeliveryKey key) {
    const auto delivery = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.delivery(key); });
    return delivery ? delivery->content.subject : "";
  }

  TestStore installation_;
};

TEST_F(RetentionTest, ErasesContentAndThenTheDeliveryWhenTheirTimeIsOver) {
  const auto owner = account("shop");
  const auto key = mail(owner);
  const auto open = mail(owner, false);
  const Retention::Rules rules{.kept = {.content_days = 10, .story_days = 20}};
  EXPECT_EQ(*run(pass_once(rules)), 0);
  installation_.clock.advance(std::chrono::days(9));
  EXPECT_EQ(*run(pass_once(rules)), 0);
  EXPECT_EQ(subject(key), "Hello");
  installation_.clock.advance(std::chrono::days(2));
  EXPECT_EQ(*run(pass_once(rules)), 1);
  EXPECT_EQ(subject(key), store::kErasedText);
  EXPECT_EQ(*run(pass_once(rules)), 0) << "again";
  installation_.clock.advance(std::chrono::days(10));
  EXPECT_EQ(*run(pass_once(rules)), 1);
  EXPECT_EQ(subject(key), "");
  EXPECT_EQ(subject(open), "Hello") << "it is not over";
}

TEST_F(RetentionTest, NothingGoesUnlessItIsConfigured) {
  const auto key = mail(account("shop"));
  installation_.clock.advance(std::chrono::days(4'000));
  EXPECT_EQ(*run(pass_once({})), 0);
  EXPECT_EQ(subject(key), "Hello");
}

TEST_F(RetentionTest, AnAccountMayHaveTimesOfItsOwn) {
  const auto shop = account("shop");
  const auto club = account("club");
  keep_for(shop, {.content_days = 3, .story_days = 0});
  const auto its = mail(shop);
  const auto other = mail(club);
  installation_.clock.advance(std::chrono::days(5));
  EXPECT_EQ(*run(pass_once({.kept = {.content_days = 30, .story_days = 0}})), 1);
  EXPECT_EQ(subject(its), store::kErasedText);
  EXPECT_EQ(subject(other), "Hello");
}

TEST_F(RetentionTest, APassBeginsBehindWhatIsErasedAndBeforeWhatIsOnItsWay) {
  const auto owner = account("shop");
  const auto first = mail(owner);
  installation_.clock.advance(std::chrono::days(1));
  const Instant second_started = installation_.store->clock().now();
  const auto second = mail(owner, false);
  installation_.clock.advance(std::chrono::days(20));
  const Retention::Rules rules{.kept = {.content_days = 10, .story_days = 0}};
  EXPECT_EQ(*run(pass_once(rules)), 1);
  EXPECT_EQ(subject(first), store::kErasedText);
  EXPECT_EQ(*run(pass_once(rules)), 0);
  const Instant place = erased_until(owner);
  EXPECT_GE(place, second_started) << "the first is behind it";
  EXPECT_LE(place, second_started + 1h) << "the second is on its way";

  end_newest(owner);
  installation_.clock.advance(std::chrono::days(11));
  EXPECT_EQ(*run(pass_once(rules)), 1) << "it is over now";
  EXPECT_EQ(subject(second), store::kErasedText);
  EXPECT_EQ(*run(pass_once(rules)), 0);
  EXPECT_GE(erased_until(owner), installation_.store->clock().now() - std::chrono::days(11));

  const auto third = mail(owner);
  installation_.clock.advance(std::chrono::days(20));
  put(store::erased_until_setting(owner),
      std::to_string(to_epoch_ms(installation_.store->clock().now() - std::chrono::days(15))));
  EXPECT_EQ(*run(pass_once(rules)), 0) << "nobody looks at what is said to be erased";
  put(store::erased_until_setting(owner), "unknown");
  EXPECT_EQ(*run(pass_once(rules)), 1) << "all is looked at";
  EXPECT_EQ(subject(third), store::kErasedText);

  const auto fourth = mail(owner);
  put(store::erased_until_setting(owner),
      std::to_string(to_epoch_ms(installation_.store->clock().now() + std::chrono::days(90))));
  installation_.clock.advance(std::chrono::days(11));
  EXPECT_EQ(*run(pass_once(rules)), 1) << "nor believes a clock that was ahead";
  EXPECT_EQ(subject(fourth), store::kErasedText);
}

TEST_F(RetentionTest, AnAccountThatCannotBeReadHoldsUpNoOther) {
  const auto club = account("club");
  const auto its = mail(club);
  const auto other = mail(account("shop"));
  put(store::retention_setting(club), "for ever");
  installation_.clock.advance(std::chrono::days(11));
  const auto passed =
      run(pass_once({.kept = {.content_days = 10, .story_days = 0}, .audit_days = 0}));
  ASSERT_FALSE(passed);
  EXPECT_EQ(passed.error().kind, ErrorKind::corrupt);
  EXPECT_TRUE(passed.error().detail.starts_with("account ")) << passed.error().detail;
  EXPECT_EQ(subject(its), "Hello") << "nobody knows how long it is kept";
  EXPECT_EQ(subject(other), store::kErasedText);
}

TEST_F(RetentionTest, OneProcessDoesItAsLongAsItLives) {
  const auto enter = [&](std::string name) {
    return installation_.store
        ->write_and_wait(store::WritePriority::accept,
                         [&](store::WriteTransaction& t) {
                           return t.enter_node({.name = name, .roles = "events", .version = "1"});
                         })
        .value();
  };
  const auto one = enter("one");
  const auto other = enter("other");
  const auto owner = account("shop");
  const Retention::Rules rules{.kept = {.content_days = 10, .story_days = 0}};
  EXPECT_EQ(*run(pass_once(rules, one)), 0);
  const auto key = mail(owner);
  installation_.clock.advance(std::chrono::days(11));
  EXPECT_EQ(*run(pass_once(rules, other)), 0);
  EXPECT_EQ(subject(key), "Hello") << "the first has it";
  ASSERT_TRUE(installation_.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& t) { return t.leave_node(one); }));
  EXPECT_EQ(*run(pass_once(rules, other)), 1);
  EXPECT_EQ(subject(key), store::kErasedText);
}

TEST_F(RetentionTest, LinesOfTheAuditGoAfterTheirTime) {
  const auto add = [&] {
    ASSERT_TRUE(installation_.store->write_and_wait(
        store::WritePriority::accept, [](store::WriteTransaction& t) {
          return t.add_audit({.actor = "operator", .action = "content", .origin = "x"}, "");
        }));
  };
  const auto lines = [&] {
    return installation_.store->read_and_wait([](store::ReadTransaction& t) { return t.audit({}); })
        ->size();
  };
  add();
  installation_.clock.advance(std::chrono::days(10));
  add();
  ASSERT_TRUE(run(pass_once({.kept = {}, .audit_days = 0})));
  EXPECT_EQ(lines(), 2U);
  ASSERT_TRUE(run(pass_once({.kept = {}, .audit_days = 5})));
  EXPECT_EQ(lines(), 1U);
}

}  // namespace
}  // namespace todoku::app
