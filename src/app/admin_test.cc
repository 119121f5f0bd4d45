// SPDX-License-Identifier: Apache-2.0
#include "app/admin.h"

#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/admin_routes.h"
#include "app/failing_store.h"
#include "app/key_ring.h"
#include "app/test_installation.h"
#include "base/digest.h"
#include "http/json.h"

namespace todoku::app {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

struct AdminTest : testing::Test {
  TestStore installation;
  SecretBox box{MasterKey::generate()};
  StoredKeyRing ring{box};
  int drains = 0;
  AdminOperations operations{
      *installation.store, installation.clock,
      AdminOperations::Options{.version = "1.2.3",
                               .data_directory = "/var/lib/todoku",
                               .transactional_expiry = std::chrono::hours(24),
                               .bulk_expiry = std::chrono::hours(24),
                               .describe_engine = [](EngineStatus& status) { status.pid = 42; },
                               .drain = [this] { ++drains; },
                               .secret_box = [this]() -> Result<const SecretBox*> { return &box; },
                               .key_ring = &ring}};

  Result<store::Account> account_of(const std::string& token) {
    return installation.store->read_and_wait([&](store::ReadTransaction& transaction) {
      return transaction.account_by_token(sha256_hex(token));
    });
  }
};

TEST_F(AdminTest, AddsAnAccountWhoseKeyOpensTheDoor) {
  const auto added = run(operations.add_account({.name = "shop", .weight = 5}));
  ASSERT_TRUE(added) << added.error().detail;
  ASSERT_TRUE(added->key);
  EXPECT_EQ(added->key->login_id, "shop");
  EXPECT_THAT(added->key->api_key, SizeIs(48));
  EXPECT_THAT(added->key->bearer_token, SizeIs(88));
  const auto found = account_of(added->key->bearer_token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "shop");
  EXPECT_EQ(found->weight, 5U);
  const auto accounts = run(operations.accounts());
  ASSERT_THAT(*accounts, SizeIs(1));
  EXPECT_EQ((*accounts)[0].keys, 1);
}

TEST_F(AdminTest, AddsAnAccountWithItsKeyOrNothing) {
  FailingStore failing(*installation.store);
  AdminOperations refused(failing, installation.clock, {});
  for (int n = 1;; ++n) {
    failing.fail_calls(failing.calls() + n, 1'000);
    const auto added = run(refused.add_account({.name = "shop"}));
    if (added) {
      EXPECT_TRUE(added->key);
      EXPECT_TRUE(account_of(added->key->bearer_token));
      return;
    }
    EXPECT_THAT(*run(operations.accounts()), SizeIs(0)) << "after call " << n;
  }
}

TEST_F(AdminTest, RefusesNamesAndWeightsOutOfRange) {
  EXPECT_EQ(run(operations.add_account({.name = ""})).error().kind, ErrorKind::invalid_input);
  EXPECT_FALSE(run(operations.add_account({.name = "a b"})));
  EXPECT_FALSE(run(operations.add_account({.name = std::string(65, 'a')})));
  EXPECT_FALSE(run(operations.add_account({.name = "shop", .weight = 0})));
  EXPECT_FALSE(run(operations.add_account({.name = "shop", .weight = 1001})));
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  EXPECT_EQ(run(operations.add_account({.name = "shop"})).error().detail,
            "there is an account shop already");
  EXPECT_FALSE(run(operations.change_account("shop", {.weight = 0, .suspended = {}})));
  EXPECT_EQ(run(operations.change_account("nobody", {})).error().detail,
            "there is no account nobody");
}

TEST_F(AdminTest, ChangesOneThingAtATime) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop", .weight = 7})));
  ASSERT_TRUE(run(operations.change_account("shop", {.weight = {}, .suspended = true})));
  auto accounts = run(operations.accounts());
  EXPECT_TRUE((*accounts)[0].account.suspended);
  EXPECT_EQ((*accounts)[0].account.weight, 7U);
  ASSERT_TRUE(run(operations.change_account("shop", {.weight = 9, .suspended = {}})));
  accounts = run(operations.accounts());
  EXPECT_TRUE((*accounts)[0].account.suspended);
  EXPECT_EQ((*accounts)[0].account.weight, 9U);
}

TEST_F(AdminTest, KeepsSeveralKeysAndRevokesOne) {
  const auto added = run(operations.add_account({.name = "shop"}));
  const auto second = run(operations.add_key("shop", "ci"));
  ASSERT_TRUE(second);
  EXPECT_NE(second->api_key, added->key->api_key);
  ASSERT_TRUE(run(operations.revoke_key("shop", added->key->key.id)));
  EXPECT_FALSE(account_of(added->key->bearer_token));
  EXPECT_TRUE(account_of(second->bearer_token));
  const auto keys = run(operations.keys("shop"));
  ASSERT_THAT(*keys, SizeIs(2));
  EXPECT_EQ(run(operations.revoke_key("shop", 99)).error().detail, "account shop has no key 99");
  EXPECT_EQ(run(operations.add_key("nobody", "")).error().kind, ErrorKind::not_found);
}

TEST_F(AdminTest, SealsADkimKeyAndSignsWithItAtOnce) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto added = run(operations.add_dkim_key(
      {.account = "shop", .domain = "Example.JP", .selector = "", .algorithm = "ed25519"}));
  ASSERT_TRUE(added) << added.error().detail;
  EXPECT_EQ(added->key.domain, "example.jp");
  EXPECT_EQ(added->key.selector, "e20260101") << "the algorithm and the date";
  EXPECT_EQ(added->dns_name, "e20260101._domainkey.example.jp");
  EXPECT_THAT(added->key.dns_record, HasSubstr("v=DKIM1; k=ed25519; p="));
  EXPECT_EQ(added->key.sealed_private_key, "");
  const auto accounts = run(operations.accounts());
  EXPECT_EQ(ring.current((*accounts)[0].account.key, "example.jp").pinned, "example.jp:e20260101");
  const auto stored = installation.store->read_and_wait(
      [](store::ReadTransaction& transaction) { return transaction.dkim_keys(); });
  EXPECT_THAT((*stored)[0].sealed_private_key, Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(AdminTest, NeverOverwritesADkimKey) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const NewDkimKey request{
      .account = "shop", .domain = "example.jp", .selector = "s1", .algorithm = "ed25519"};
  ASSERT_TRUE(run(operations.add_dkim_key(request)));
  EXPECT_EQ(run(operations.add_dkim_key(request)).error().kind, ErrorKind::conflict);
  ASSERT_TRUE(run(operations.remove_dkim_key("shop", "example.jp", "s1")));
  EXPECT_THAT(*run(operations.dkim_keys("")), SizeIs(0));
  EXPECT_TRUE(run(operations.add_dkim_key(request)));
  EXPECT_EQ(run(operations.dkim_key("shop", "example.jp", "s2")).error().kind,
            ErrorKind::not_found);
}

TEST_F(AdminTest, TakesOverADkimKeyMadeElsewhere) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto key = mailauth::dkim::SigningKey::generate(mailauth::dkim::KeyAlgorithm::rsa);
  const auto added = run(operations.add_dkim_key({.account = "shop",
                                                  .domain = "example.jp",
                                                  .selector = "s1",
                                                  .algorithm = "",
                                                  .private_key = key->to_pem()}));
  ASSERT_TRUE(added) << added.error().detail;
  EXPECT_EQ(added->key.dns_record, mailauth::dkim::key_record_text(*key));
  EXPECT_FALSE(run(operations.add_dkim_key({.account = "shop",
                                            .domain = "example.jp",
                                            .selector = "s2",
                                            .algorithm = "",
                                            .private_key = "nonsense"})));
}

TEST_F(AdminTest, ExplainsAnAddressAcrossAccounts) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  const auto club = run(operations.add_account({.name = "club"}));
  for (const auto* account : {&shop->account, &club->account}) {
    const auto accepted = installation.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& transaction) {
          store::NewDelivery delivery;
          delivery.account = account->key;
          delivery.content.from.address = account->name + "@example.com";
          delivery.content.subject = "Hello from " + account->name;
          delivery.content.text_part = "text";
          const std::vector<store::NewRecipient> to = {
              {.address = "taro@example.jp", .domain = "example.jp", .insert_codes = {}}};
          return transaction.accept_transaction(delivery, to, "", 1,
                                                installation.clock.now() + std::chrono::minutes(5),
                                                installation.clock.now());
        });
    ASSERT_TRUE(accepted) << accepted.error().detail;
  }
  const auto all = run(operations.explain({.address = "Taro@EXAMPLE.jp", .account = ""}));
  const auto exact = run(operations.explain({.address = " taro@Example.JP ", .account = ""}));
  ASSERT_TRUE(exact) << exact.error().detail;
  EXPECT_THAT(exact->stories, SizeIs(2));
  EXPECT_THAT(exact->text, HasSubstr("Hello from shop"));
  ASSERT_TRUE(all);
  const auto one = run(operations.explain({.address = "taro@example.jp", .account = "club"}));
  ASSERT_THAT(one->stories, SizeIs(1));
  EXPECT_EQ(one->stories[0].account, "club");
  EXPECT_EQ(run(operations.explain({.address = "taro", .account = ""})).error().kind,
            ErrorKind::invalid_input);
}

TEST_F(AdminTest, DescribesTheEngineAndItsQueues) {
  const auto status = run(operations.status());
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->running);
  EXPECT_EQ(status->pid, 42);
  EXPECT_EQ(status->version, "1.2.3");
  ASSERT_TRUE(operations.drain());
  EXPECT_EQ(drains, 1);
}

// ---- over HTTP ---------------------------------------------------------------------------------

struct AdminRoutesTest : AdminTest {
  http::Router router;
  AdminRoutesTest() { add_admin_routes(router, operations); }

  Task<http::Response> dispatch(http::Method method, std::string target, std::string text) {
    http::Request request;
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.raw_path = target.substr(0, mark);
    if (mark < target.size()) request.query = target.substr(mark + 1);
    http::TextBody body(std::move(text));
    const auto match = router.find(method, request.raw_path, request.parameters);
    if (match.route == nullptr) co_return http::Response{.status = match.status};
    auto response = co_await match.route->handler(request, body);
    co_return response;
  }
  http::Response call(http::Method method, std::string target, std::string text = "") {
    return run(dispatch(method, std::move(target), std::move(text)));
  }
};

TEST_F(AdminRoutesTest, AnswerFailuresWithASentenceAndAStatus) {
  const auto missing = call(http::Method::get, "/accounts/nobody/keys");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"error":"there is no account nobody"})");
  EXPECT_EQ(call(http::Method::post, "/accounts", "{").status, 400);
  EXPECT_EQ(call(http::Method::post, "/accounts", "[]").status, 400);
  EXPECT_EQ(call(http::Method::post, "/accounts", "{}").status, 400);
  EXPECT_EQ(call(http::Method::post, "/accounts", R"({"name":"shop"})").status, 201);
  EXPECT_EQ(call(http::Method::post, "/accounts", R"({"name":"shop"})").status, 409);
  EXPECT_EQ(call(http::Method::delete_, "/accounts/shop/keys/x").status, 400);
  EXPECT_EQ(call(http::Method::get, "/explain?address=a@example.jp&lang=fr").status, 400);
  EXPECT_EQ(call(http::Method::get, "/explain?address=a@example.jp&limit=0").status, 400);
  EXPECT_EQ(call(http::Method::post, "/dkim",
                 R"({"account":"shop","domain":"example.jp","algorithm":"dsa"})")
                .status,
            400);
}

TEST_F(AdminRoutesTest, AreWhatTheOperationsAre) {
  ASSERT_EQ(call(http::Method::post, "/accounts", R"({"name":"shop","with_key":false})").status,
            201);
  EXPECT_EQ(call(http::Method::get, "/accounts").body,
            R"({"accounts":[{"name":"shop","weight":1,"suspended":false,)"
            R"("created":"2026-01-01T00:00:00Z","keys":0}]})");
  const auto key = call(http::Method::post, "/accounts/shop/keys", R"({"label":"ci"})");
  EXPECT_EQ(key.status, 201);
  EXPECT_THAT(key.body, HasSubstr(R"("label":"ci")"));
  EXPECT_THAT(call(http::Method::get, "/accounts/shop/keys").body, Not(HasSubstr("api_key")));
  EXPECT_EQ(call(http::Method::patch, "/accounts/shop", R"({"suspended":true})").status, 200);
  EXPECT_THAT(call(http::Method::get, "/accounts").body, HasSubstr(R"("suspended":true)"));
  EXPECT_THAT(call(http::Method::get, "/status").body, HasSubstr(R"("version":"1.2.3")"));
  EXPECT_EQ(call(http::Method::post, "/drain").status, 200);
  EXPECT_EQ(drains, 1);
  EXPECT_THAT(call(http::Method::get, "/explain?address=a%40example.jp&lang=ja").body,
              HasSubstr("記録はありません"));
}

}  // namespace
}  // namespace todoku::app
