// SPDX-License-Identifier: Apache-2.0
// Stories by address, however many recipients there are.
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(StoreSuite, StoriesOfAnAddressAreToldNewestFirst) {
  const Account acme = account("acme");
  const Account other = account("other");
  const auto first = accept(acme.key, {recipient("taro"), recipient("hanako")}).delivery;
  const auto second = started(other.key, {recipient("taro")});
  const auto third = accept(acme.key, {recipient("taro", "example.com"), recipient("taro")});
  const auto ids = [&](std::optional<AccountKey> of, std::int64_t limit) {
    std::vector<std::pair<std::string, PublicId>> found;
    for (const Story& story : stories_of(*store_, "taro@example.jp", of, limit)) {
      EXPECT_EQ(story.address, "taro@example.jp");
      found.emplace_back(story.account, story.delivery_id);
    }
    return found;
  };
  using Found = std::pair<std::string, PublicId>;
  EXPECT_THAT(ids(std::nullopt, 10),
              ElementsAre(Found("acme", third.delivery.id), Found("other", second.id),
                          Found("acme", first.id)));
  EXPECT_THAT(ids(std::nullopt, 2), SizeIs(2));
  EXPECT_THAT(ids(acme.key, 10),
              ElementsAre(Found("acme", third.delivery.id), Found("acme", first.id)));
  EXPECT_THAT(ids(acme.key, 1), ElementsAre(Found("acme", third.delivery.id)));
  EXPECT_THAT(ids(other.key, 10), ElementsAre(Found("other", second.id)));
  EXPECT_THAT(stories("jiro@example.jp"), IsEmpty());
  EXPECT_THAT(stories("taro@"), IsEmpty());
  EXPECT_THAT(stories(""), IsEmpty());
}

TEST_P(StoreSuite, AStoryTellsWhereItsDeliveryStands) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, {recipient("taro")});
  must(write([&](WriteTransaction& t) { return t.commit_draft(made.key, after(60), {}); }));
  const Story told = stories("taro@example.jp")[0];
  EXPECT_EQ(told.type, DeliveryType::bulk);
  EXPECT_EQ(told.delivery_status, DeliveryStatus::reserve);
  EXPECT_EQ(told.reservation, after(60));
  EXPECT_EQ(told.started, std::nullopt);
  EXPECT_EQ(told.subject, "News for __name__");
  EXPECT_EQ(told.from, "news@example.com");
  EXPECT_EQ(told.state, RecipientState::pending);
  EXPECT_EQ(told.created, now());
  EXPECT_THAT(told.attempts, IsEmpty());
}

TEST_P(StoreSuite, AddressesAreFoundAmongManyWhileMoreAreAdded) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  // More than one run of the index, found before, while and after it is built.
  for (std::size_t n = 0; n < 40; ++n) {
    append(made.key, recipients(1'000, n % 2 == 0 ? "example.jp" : "example.com", n * 1'000));
    const std::size_t index = n * 777;
    const std::string address =
        fmt::format("user{}@{}", index, index / 1'000 % 2 == 0 ? "example.jp" : "example.com");
    ASSERT_THAT(stories(address), SizeIs(1)) << address;
  }
  for (std::size_t index = 0; index < 40'000; index += 613) {
    const bool even = index / 1'000 % 2 == 0;
    ASSERT_THAT(stories(fmt::format("user{}@{}", index, even ? "example.jp" : "example.com")),
                SizeIs(1));
    ASSERT_THAT(stories(fmt::format("user{}@{}", index, even ? "example.com" : "example.jp")),
                IsEmpty());
  }
  reopen();
  EXPECT_THAT(stories("user39999@example.com"), SizeIs(1));
  EXPECT_THAT(stories("user0@example.jp"), SizeIs(1));
}

// One address in very many deliveries, as a monitoring address is: the newest are told at once, and
// each step of the search is short, also where an account has none of them.
TEST_P(StoreSuite, AnAddressInVeryManyDeliveriesIsSearchedInShortSteps) {
  const Account acme = account("acme");
  const Account other = account("other");
  const auto accept_many = [&](AccountKey owner, int count) {
    std::vector<std::future<Result<Accepted>>> accepted;
    for (int i = 0; i < count; ++i) {
      std::promise<Result<Accepted>> promise;
      accepted.push_back(promise.get_future());
      store_->submit(acceptance(owner, {recipient("watch")}),
                     [promise = std::move(promise)](Result<Accepted> result) mutable {
                       promise.set_value(std::move(result));
                     });
    }
    for (auto& one : accepted) must(one.get());
  };
  accept_many(other.key, 3);
  for (int i = 0; i < 10; ++i) accept_many(acme.key, 1'000);
  const auto steps = [&](std::optional<AccountKey> of, std::int64_t limit, std::size_t found) {
    StorySearch search("watch@example.jp", of, limit);
    int taken = 1;
    while (!must(read([&](ReadTransaction& t) { return search.step(t); }))) ++taken;
    const auto told = search.take();
    EXPECT_EQ(told.size(), found);
    EXPECT_TRUE(std::ranges::is_sorted(told, std::greater(), [](const Story& story) {
      return std::pair(story.account, story.email_id);
    }));
    return taken;
  };
  for (const bool indexed : {false, true}) {
    EXPECT_LE(steps(std::nullopt, 20, 20), 2);
    EXPECT_EQ(stories_of(*store_, "watch@example.jp", {}, 1)[0].email_id, 10'000);
    const int for_few = steps(other.key, 20, 3);
    EXPECT_GE(for_few, 4) << "2,000 at a time";
    EXPECT_LE(for_few, 9);
    EXPECT_EQ(stories_of(*store_, "watch@example.jp", {}, 10'003).size(), 10'003U);
    if (indexed) break;
    // Enough others that the index takes all of them into a run.
    const Delivery made = draft(acme.key);
    for (std::size_t n = 0; n < 20; ++n)
      append(made.key, recipients(1'000, "example.com", n * 1'000));
    reopen();
  }
}

}  // namespace
}  // namespace todoku::store
