// SPDX-License-Identifier: Apache-2.0
// The numbers by which a process hears that something it keeps in memory has changed.
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

constexpr Topic kAllTopics[] = {Topic::accounts, Topic::api_keys, Topic::dkim_keys, Topic::domains};

std::vector<Topic> topics_changed(const ChangeNumbers& before, const ChangeNumbers& after) {
  std::vector<Topic> changed;
  for (const Topic topic : kAllTopics) {
    if (after.of(topic) != before.of(topic)) changed.push_back(topic);
  }
  return changed;
}

ChangeNumbers numbers_of(Store& store) {
  return must(store.read_and_wait([](ReadTransaction& t) { return t.change_numbers(); }));
}

TEST_P(StoreSuite, EveryChangeIncreasesTheNumberOfItsTopicAndNoOther) {
  Account acme = account();
  const DkimKey key{.account = acme.key,
                    .domain = "example.jp",
                    .selector = "s1",
                    .algorithm = "ed25519-sha256",
                    .sealed_private_key = "sealed",
                    .dns_record = "v=DKIM1",
                    .created = now()};
  std::int64_t id = 0;
  const auto changes = [&](auto work) {
    const ChangeNumbers before = numbers_of(*store_);
    must(write(std::move(work)));
    const ChangeNumbers after = numbers_of(*store_);
    for (const Topic topic : kAllTopics) EXPECT_GE(after.of(topic), before.of(topic));
    return topics_changed(before, after);
  };
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(changes([](WriteTransaction& t) { return t.create_account("other"); }),
              ElementsAre(Topic::accounts));
  acme.suspended = true;
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.change_account(acme); }),
              ElementsAre(Topic::accounts));
  EXPECT_THAT(changes([&](WriteTransaction& t) -> Result<void> {
                const auto added =
                    t.add_api_key(acme.key, {.label = "web", .token_sha256 = "token"});
                if (!added) return fail(added.error());
                id = added->id;
                return {};
              }),
              ElementsAre(Topic::api_keys));
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.revoke_api_key(acme.key, id); }),
              ElementsAre(Topic::api_keys));
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.put_dkim_key(key); }),
              ElementsAre(Topic::dkim_keys));
  EXPECT_THAT(changes([&](WriteTransaction& t) {
                return t.remove_dkim_key(acme.key, key.domain, key.selector);
              }),
              ElementsAre(Topic::dkim_keys));
  Domain domain;
  domain.account = acme.key;
  domain.domain = "example.jp";
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.add_domain(domain); }),
              ElementsAre(Topic::domains));
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.change_domain(domain); }),
              ElementsAre(Topic::domains));
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.note_look(domain); }), IsEmpty());
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.remove_domain(acme.key, "example.jp"); }),
              ElementsAre(Topic::domains));
  EXPECT_THAT(changes([](WriteTransaction& t) { return t.hold_domains(); }),
              ElementsAre(Topic::domains));
  EXPECT_THAT(changes([&](WriteTransaction& t) { return t.put_setting("instance", "x"); }),
              IsEmpty());
  const ChangeNumbers before = numbers_of(*store_);
  reopen();
  EXPECT_THAT(topics_changed(before, numbers_of(*store_)), IsEmpty());
}

TEST_P(StoreSuite, WhatIsRefusedHasChangedNothing) {
  const Account acme = account();
  const ChangeNumbers before = numbers_of(*store_);
  const auto refuses = [&](auto work) { EXPECT_FALSE(write(std::move(work))); };
  refuses([](WriteTransaction& t) { return t.create_account("acme"); });
  refuses([&](WriteTransaction& t) { return t.revoke_api_key(acme.key, 99); });
  refuses([&](WriteTransaction& t) { return t.remove_dkim_key(acme.key, "example.jp", "s1"); });
  refuses([&](WriteTransaction& t) -> Result<void> {
    if (auto changed = t.change_account(acme); !changed) return changed;
    return fail(ErrorKind::conflict, "thought better of it");
  });
  EXPECT_THAT(topics_changed(before, numbers_of(*store_)), ::testing::IsEmpty());
}

TEST_P(StoreSuite, NoChangeOfSeveralAtOnceIsMissed) {
  constexpr int kThreads = 4;
  constexpr int kEach = 10;
  const Account acme = account();
  const std::int64_t before = numbers_of(*store_).of(Topic::accounts);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(write([&](WriteTransaction& t) { return t.change_account(acme); }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(numbers_of(*store_).of(Topic::accounts), before + kThreads * kEach);
}

}  // namespace
}  // namespace todoku::store
