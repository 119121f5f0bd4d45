// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operate/operations_fixture.h"

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

TEST_F(OperationsTest, KeepsSeveralKeysAndRevokesOne) {
  const auto added = run(operations.add_account({.name = "shop"}));
  const auto second = run(operations.add_key({.account = "shop", .label = "ci"}));
  ASSERT_TRUE(second);
  EXPECT_NE(second->api_key, added->key->api_key);
  ASSERT_TRUE(run(operations.revoke_key("shop", added->key->key.id)));
  EXPECT_FALSE(account_of(added->key->bearer_token));
  EXPECT_TRUE(account_of(second->bearer_token));
  const auto keys = run(operations.keys("shop"));
  ASSERT_THAT(*keys, SizeIs(2));
  EXPECT_EQ(run(operations.revoke_key("shop", 99)).error().detail, "account shop has no key 99");
  EXPECT_EQ(run(operations.add_key({.account = "nobody"})).error().kind, ErrorKind::not_found);
}

TEST_F(OperationsTest, AKeyHasTheTermsThatWereAskedFor) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto narrow = run(operations.add_key({.account = "shop",
                                              .label = "ci",
                                              .scopes = "read, send",
                                              .networks = "192.0.2.77/24,2001:db8::1",
                                              .days = 90}));
  ASSERT_TRUE(narrow) << narrow.error().detail;
  EXPECT_EQ(narrow->key.scopes, store::Scope::send | store::Scope::read);
  EXPECT_THAT(narrow->key.networks, testing::ElementsAre("192.0.2.0/24", "2001:db8::1/128"));
  EXPECT_EQ(narrow->key.expires, installation.clock.now() + std::chrono::days(90));
  const auto problem = [&](NewKey key) {
    key.account = "shop";
    return run(operations.add_key(std::move(key))).error().detail;
  };
  EXPECT_EQ(problem({.scopes = "send,all"}),
            "there is no scope \"all\": scopes are send, read, content, suppress, admin and ses");
  EXPECT_THAT(problem({.networks = "192.0.2.0/33"}), testing::HasSubstr("192.0.2.0/33"));
  std::string many = "192.0.2.1";
  for (int i = 0; i < 32; ++i) many += ",192.0.2.1";
  EXPECT_EQ(problem({.networks = many}), "at most 32 networks can be given");
}

std::vector<std::string> noted(Operations& operations) {
  std::vector<std::string> lines;
  const auto page = run(operations.audit({}));
  if (!page) return lines;
  for (const AuditLine& line : page->lines) {
    lines.push_back(line.entry.actor + " " + line.entry.origin + " " + line.account + " " +
                    line.entry.action);
  }
  return lines;
}

TEST_F(OperationsTest, WhoGrantsAKeyHoldsAllThatItOpensAndIsInTheAudit) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const Granter narrow{.asker = {.actor = "person 3 (a@example.jp)", .origin = "192.0.2.7"},
                       .holds = store::Scope::read | store::Scope::send};
  const auto make = [&](const char* scopes) {
    return run(operations.add_key({.account = "shop", .scopes = scopes, .by = narrow}));
  };
  for (const char* more : {"content", "read,suppress", "send,admin"}) {
    const auto refused = make(more);
    ASSERT_FALSE(refused) << more;
    EXPECT_EQ(refused.error().kind, ErrorKind::unauthorized);
  }
  EXPECT_THAT(noted(operations), SizeIs(0)) << "nothing was done";
  const auto key = make("read,send");
  ASSERT_TRUE(key) << key.error().detail;
  EXPECT_TRUE(make("ses")) << "it hands mail in, and nothing else";
  const auto wide = run(operations.add_key({.account = "shop", .scopes = "read,admin"}));
  EXPECT_EQ(run(operations.rotate_key("shop", wide->key.id, 0, narrow)).error().kind,
            ErrorKind::unauthorized)
      << "the new one would do all that the old one does";
  EXPECT_TRUE(holder_of(wide->bearer_token));
  const auto rotated = run(operations.rotate_key("shop", key->key.id, 0, narrow));
  ASSERT_TRUE(rotated) << rotated.error().detail;
  ASSERT_TRUE(run(operations.revoke_key("shop", rotated->key.key.id, narrow)));
  const std::string who = "person 3 (a@example.jp) 192.0.2.7 shop ";
  EXPECT_THAT(noted(operations),
              testing::ElementsAre(
                  who + "api_key.add: " + std::to_string(key->key.id) + " send,read",
                  HasSubstr("api_key.add"), who + "api_key.rotate: " + std::to_string(key->key.id),
                  who + "api_key.end: " + std::to_string(rotated->key.key.id)));
}

TEST_F(OperationsTest, WhoGrantsKeysMakesSoManyAndNoMore) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop", .with_key = false})));
  const Granter owner{.asker = {}, .holds = store::kScopesOfClients};
  const auto make = [&] { return run(operations.add_key({.account = "shop", .by = owner})); };
  Result<IssuedKey> last;
  for (std::int64_t n = 0; n < kGrantedMax; ++n) last = make();
  ASSERT_TRUE(last) << last.error().detail;
  EXPECT_EQ(make().error().kind, ErrorKind::limit_exceeded);
  EXPECT_TRUE(run(operations.rotate_key("shop", last->key.id, 0, owner))) << "one ends, one begins";
  EXPECT_EQ(make().error().kind, ErrorKind::limit_exceeded);
  EXPECT_TRUE(run(operations.add_key({.account = "shop"}))) << "the operators' own command";
  ASSERT_TRUE(run(operations.revoke_key("shop", run(operations.keys("shop"))->front().key.id)));
  ASSERT_TRUE(run(operations.revoke_key("shop", run(operations.keys("shop"))->at(1).key.id)));
  EXPECT_TRUE(make());
}

TEST_F(OperationsTest, ARotatedKeyWorksUntilTheOverlapIsOver) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto old = run(operations.add_key(
      {.account = "shop", .label = "ci", .scopes = "send", .networks = "192.0.2.0/24"}));
  const auto rotated = run(operations.rotate_key("shop", old->key.id, 24));
  ASSERT_TRUE(rotated) << rotated.error().detail;
  EXPECT_EQ(rotated->old_expires, installation.clock.now() + std::chrono::hours(24));
  EXPECT_EQ(holder_of(old->bearer_token)->key.expires, rotated->old_expires);
  const auto fresh = holder_of(rotated->key.bearer_token);
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->key.label, "ci");
  EXPECT_EQ(fresh->key.scopes, old->key.scopes);
  EXPECT_EQ(fresh->key.networks, old->key.networks);
  EXPECT_EQ(fresh->key.expires, std::nullopt);

  const auto again = run(operations.rotate_key("shop", old->key.id, 48));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->old_expires, rotated->old_expires) << "no later for being asked twice";
  EXPECT_EQ(again->key.key.expires, std::nullopt)
      << "and it ends no sooner than the old one was to";

  const auto at_once = run(operations.rotate_key("shop", rotated->key.key.id, 0));
  ASSERT_TRUE(at_once);
  EXPECT_EQ(at_once->old_expires, std::nullopt);
  EXPECT_FALSE(holder_of(rotated->key.bearer_token));
  EXPECT_EQ(run(operations.rotate_key("shop", rotated->key.key.id, 0)).error().kind,
            ErrorKind::conflict);
  EXPECT_EQ(run(operations.rotate_key("shop", 999, 0)).error().detail,
            "account shop has no key 999");
}

TEST_F(OperationsTest, OnlyKeysOfSesAreRotatedWithTheMasterKey) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto bearer = run(operations.add_key({.account = "shop", .scopes = "send"}));
  const auto ses = run(operations.add_key({.account = "shop", .scopes = "ses"}));
  ASSERT_TRUE(bearer && ses);
  Operations::Options options;
  options.secret_box = []() -> Result<const SecretBox*> {
    return fail(ErrorKind::unsupported, "no master key here");
  };
  options.changed = [this] { return take_over(); };
  Operations without{*installation.store, installation.clock, std::move(options)};
  const auto rotated = run(without.rotate_key("shop", bearer->key.id, 24));
  ASSERT_TRUE(rotated) << rotated.error().detail;
  EXPECT_TRUE(holder_of(rotated->key.bearer_token));
  EXPECT_EQ(run(without.rotate_key("shop", ses->key.id, 24)).error().detail, "no master key here");
  EXPECT_EQ(run(without.rotate_key("shop", 999, 24)).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace todoku::operate
