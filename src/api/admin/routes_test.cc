// SPDX-License-Identifier: Apache-2.0
#include "api/admin/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/secret_box.h"
#include "support/installation.h"
#include "support/set_aside.h"

namespace todoku::api::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

struct AdminRoutesTest : testing::Test {
  TestStore installation;
  SecretBox box{MasterKey::generate()};
  int drains = 0;
  operate::Operations operations{
      *installation.store, installation.clock,
      operate::Operations::Options{
          .version = "1.2.3",
          .describe_engine = [](operate::EngineStatus& status) { status.pid = 42; },
          .drain = [this] { ++drains; },
          .secret_box = [this]() -> Result<const SecretBox*> { return &box; }}};
  http::Router router;
  AdminRoutesTest() { add_routes(router, operations); }

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

// Once a weight of "5" and a member "wieght" became the default in silence.
TEST_F(AdminRoutesTest, RefuseWhatACallDoesNotDeclare) {
  const auto told = [&](http::Method method, const std::string& target, const std::string& text) {
    const auto answer = call(method, target, text);
    return std::to_string(answer.status) + " " + answer.body;
  };
  EXPECT_EQ(told(http::Method::post, "/accounts", R"({"name":"a","weight":"5"})"),
            R"(400 {"error":"weight must be a whole number"})");
  EXPECT_EQ(told(http::Method::post, "/accounts", R"({"name":"a","weight":1.5})"),
            R"(400 {"error":"weight must be a whole number"})");
  EXPECT_EQ(told(http::Method::post, "/accounts", R"({"name":"a","wieght":5})"),
            R"(400 {"error":"there is no argument \"wieght\" here"})");
  EXPECT_EQ(told(http::Method::post, "/accounts", R"({"name":["a"]})"),
            R"(400 {"error":"name must be a text"})");
  EXPECT_EQ(told(http::Method::get, "/accounts?limit=1001", ""),
            R"(400 {"error":"limit is 1001, but must be from 1 to 1000"})");
  EXPECT_EQ(told(http::Method::get, "/explain?address=a@b.jp&address=c@d.jp", ""),
            R"(400 {"error":"address is given more than once"})");
  EXPECT_EQ(told(http::Method::patch, "/accounts/shop", R"({"account":"other","weight":5})"),
            R"(400 {"error":"account is given more than once"})");
  EXPECT_EQ(call(http::Method::post, "/accounts?name=z", "{}").status, 400);
  EXPECT_EQ(call(http::Method::get, "/explain").status, 200);
  EXPECT_EQ(told(http::Method::get, "/explain?email=a@b.jp&site=docomo", "").substr(0, 4), "400 ");
  EXPECT_EQ(told(http::Method::get, "/explain?since=soon", "").substr(0, 4), "400 ");
  EXPECT_EQ(told(http::Method::get, "/explain?reference=a&email=a@b.jp", "").substr(0, 4), "400 ");
  EXPECT_EQ(told(http::Method::get, "/explain?email_id=0", "").substr(0, 4), "400 ");
  EXPECT_EQ(call(http::Method::get, "/explain?site=docomo&limit=50").status, 200);
  EXPECT_EQ(told(http::Method::get, "/explain?site=docomo&limit=51", "").substr(0, 4), "400 ");
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  EXPECT_EQ(told(http::Method::post, "/accounts", R"({"name":)" + deep + "}"),
            R"(400 {"error":"JSON is nested deeper than 32 levels"})");
  const std::string misplaced =
      R"(400 {"error":"arguments of this request stand behind its path, and not in a body"})";
  EXPECT_EQ(told(http::Method::get, "/accounts", R"({"limit":1})"), misplaced);
  EXPECT_EQ(told(http::Method::get, "/status", "x"), misplaced);
  EXPECT_EQ(told(http::Method::delete_, "/accounts/shop/keys/1", "{}"), misplaced);
  EXPECT_EQ(call(http::Method::get, "/accounts").body, R"({"accounts":[]})") << "nothing was made";
}

TEST_F(AdminRoutesTest, AreWhatTheOperationsAre) {
  ASSERT_EQ(call(http::Method::post, "/accounts", R"({"name":"shop","with_key":false})").status,
            201);
  EXPECT_EQ(call(http::Method::get, "/accounts").body,
            R"({"accounts":[{"name":"shop","weight":1,"suspended":false,)"
            R"("text_from_html":true,"open_tracking":true,"preflight":"warn","sandbox":false,)"
            R"("allowed_recipients":[],"created":"2026-01-01T00:00:00Z",)"
            R"("created_text":"2026-01-01 09:00:00 JST","requests_per_minute":0,)"
            R"("mails_per_minute":0,"mails_per_day":0,"mails_per_month":0,"keys":0}]})");
  const auto key = call(http::Method::post, "/accounts/shop/keys", R"({"label":"ci"})");
  EXPECT_EQ(key.status, 201);
  EXPECT_THAT(key.body, HasSubstr(R"("label":"ci")"));
  EXPECT_THAT(call(http::Method::get, "/accounts/shop/keys").body, Not(HasSubstr("api_key")));
  EXPECT_THAT(call(http::Method::patch, "/accounts/shop", R"({"suspended":true})").body,
              HasSubstr(R"(,"deliveries":0,"recipients":0,"in_hand":0,"more":false})"));
  EXPECT_THAT(
      call(http::Method::get, "/status").body,
      HasSubstr(
          R"("suspended":[{"name":"shop","deliveries":0,"recipients":0,"in_hand":0,"more":false}],)"
          R"("more_suspended":false})"));
  EXPECT_EQ(call(http::Method::delete_, "/accounts/shop/keys/1").body, R"({"done":true,"keys":0})");
  EXPECT_THAT(call(http::Method::get, "/accounts").body, HasSubstr(R"("suspended":true)"));
  EXPECT_EQ(call(http::Method::patch, "/accounts/shop", R"({"text_from_html":false})").status, 200);
  EXPECT_THAT(call(http::Method::get, "/accounts").body,
              HasSubstr(R"("suspended":true,"text_from_html":false)"));
  EXPECT_EQ(call(http::Method::patch, "/accounts/shop", R"({"preflight":"enforce"})").status, 200);
  EXPECT_THAT(call(http::Method::get, "/accounts").body, HasSubstr(R"("preflight":"enforce")"));
  for (const std::string_view mode : {"", "on", "Enforce"}) {
    const auto refused =
        call(http::Method::patch, "/accounts/shop", fmt::format(R"({{"preflight":"{}"}})", mode));
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(
        refused.body,
        fmt::format(
            R"({{"error":"preflight is \"{}\", but must be \"off\", \"warn\" or \"enforce\""}})",
            mode));
  }
  EXPECT_THAT(call(http::Method::get, "/accounts").body, HasSubstr(R"("preflight":"enforce")"));
  const auto page = call(http::Method::get, "/accounts?limit=1");
  EXPECT_THAT(page.body, HasSubstr(R"(,"next":"1"})"));
  EXPECT_EQ(call(http::Method::get, "/accounts?limit=1&after=1").body, R"({"accounts":[]})");
  EXPECT_EQ(call(http::Method::get, "/accounts?after=x").status, 400);
  EXPECT_EQ(call(http::Method::get, "/dkim?after=x").status, 400);
  EXPECT_EQ(call(http::Method::get, "/dkim?limit=0").status, 400);
  EXPECT_THAT(call(http::Method::get, "/status").body, HasSubstr(R"("version":"1.2.3")"));
  EXPECT_EQ(call(http::Method::post, "/drain").status, 200);
  EXPECT_EQ(drains, 1);
  EXPECT_THAT(call(http::Method::get, "/explain?address=a%40example.jp&lang=ja").body,
              HasSubstr("記録はありません"));
}

TEST_F(AdminRoutesTest, SmtpCredentialsAreMadeShownAndRevoked) {
  const auto add = [&](const std::string& members) {
    return call(http::Method::post, "/smtp-credentials", R"({"account":"shop",)" + members + "}");
  };
  ASSERT_EQ(call(http::Method::post, "/accounts", R"({"name":"shop"})").status, 201);
  const auto made = add(R"("name":"relay@example.jp","options":["tag","list-id"],"uid":1000)");
  EXPECT_EQ(made.status, 201);
  EXPECT_THAT(made.body, HasSubstr(R"("password":")"));
  EXPECT_EQ(add(R"("name":"relay@example.jp")").status, 409);
  EXPECT_EQ(add(R"("name":"other","uid":1000)").status, 409);
  EXPECT_EQ(add(R"("name":"other","options":"")").status, 400);
  const std::string target = "/smtp-credentials/shop/relay%40example.jp";
  EXPECT_EQ(call(http::Method::get, target).body,
            R"({"account":"shop","name":"relay@example.jp","traffic":"automatic",)"
            R"("purpose":"automatic","options":["tag","list-id"],"networks":[],)"
            R"("from_address":"","show_client":true,"bounces":true,"messages_per_minute":0,)"
            R"("recipients_per_minute":0,"bytes_per_minute":0,"connections_max":0,"uid":1000,)"
            R"("created":"2026-01-01T00:00:00Z","created_text":"2026-01-01 09:00:00 JST",)"
            R"("expired":false})");
  EXPECT_THAT(call(http::Method::patch, target, R"({"days":1,"options":"","uid":-1})").body,
              HasSubstr(R"("expires":"2026-01-02T00:00:00Z")"));
  EXPECT_THAT(call(http::Method::get, target).body, Not(HasSubstr("uid")));
  const auto rotated = call(http::Method::post, target + "/rotate", "{}");
  EXPECT_EQ(rotated.status, 201);
  EXPECT_THAT(rotated.body, HasSubstr(R"("previous_until":"2026-01-02T00:00:00Z")"));
  EXPECT_THAT(call(http::Method::post, target + "/hold", R"({"because":"much mail"})").body,
              HasSubstr(R"("held":"2026-01-01T00:00:00Z","held_text":"2026-01-01 09:00:00 JST",)"
                        R"("held_because":"much mail")"));
  EXPECT_THAT(call(http::Method::get, "/status").body,
              HasSubstr(R"("held_credentials":[{"account":"shop","name":"relay@example.jp",)"));
  EXPECT_THAT(call(http::Method::post, target + "/release", "{}").body,
              HasSubstr(R"("expired":false,"released":"2026-01-01T00:00:00Z")"));
  EXPECT_EQ(call(http::Method::delete_, target).status, 200);
  const auto listed = call(http::Method::get, "/smtp-credentials?account=shop");
  EXPECT_THAT(listed.body, HasSubstr(R"("revoked":"2026-01-01T00:00:00Z")"));
  for (const std::string_view hidden : {"password", "secret", "SCRAM"}) {
    EXPECT_THAT(listed.body, Not(HasSubstr(hidden)));
  }
}

TEST_F(AdminRoutesTest, ListAndReleaseWhatIsSetAside) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  EXPECT_EQ(call(http::Method::get, "/stuck").body, R"({"mails":[],"more":false})");
  add_set_aside(*installation.store, shop->account.key, "taro@example.jp");
  EXPECT_EQ(call(http::Method::get, "/stuck?limit=1").body,
            R"({"mails":[{"since":"2026-01-01T00:00:00Z","since_text":"2026-01-01 09:00:00 JST",)"
            R"("account":"shop","delivery_id":1,"email_id":1,"address":"taro@example.jp"}],)"
            R"("more":false})");
  EXPECT_THAT(call(http::Method::get, "/stuck?utc_offset_minutes=0").body,
              HasSubstr(R"("since_text":"2026-01-01 00:00:00 UTC")"));
  EXPECT_EQ(call(http::Method::get, "/stuck?utc_offset_minutes=900").status, 400);
  EXPECT_THAT(call(http::Method::get, "/status").body, HasSubstr(R"("set_aside":1)"));
  EXPECT_THAT(call(http::Method::get, "/explain?address=taro%40example.jp").body,
              HasSubstr(R"("set_aside":true)"));
  EXPECT_EQ(call(http::Method::get, "/stuck?limit=0").status, 400);
  EXPECT_EQ(call(http::Method::get, "/stuck?limit=1001").status, 400);
  EXPECT_EQ(call(http::Method::post, "/stuck/shop/one/release").status, 400);
  const auto missing = call(http::Method::post, "/stuck/shop/2/release");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"error":"mail 2 of account shop is not set aside"})");
  EXPECT_EQ(call(http::Method::post, "/stuck/shop/1/release").status, 200);
  EXPECT_EQ(call(http::Method::post, "/stuck/shop/1/release").status, 404);
  EXPECT_EQ(call(http::Method::post, "/stuck/release").body, R"({"released":0})");
}

// A process in HOLD lets itself be looked at, adopted and ended.
TEST_F(AdminRoutesTest, InHoldOnlyWhatChangesNothingIsOffered) {
  router = {};
  add_routes(router, operations, "HOLD: another name");
  for (const char* target : {"/status", "/accounts", "/nodes", "/cluster", "/cluster/waiting"}) {
    EXPECT_EQ(call(http::Method::get, target).status, 200) << target;
  }
  const auto refused = call(http::Method::post, "/accounts", R"({"name":"shop"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body, R"({"error":"HOLD: another name"})");
  EXPECT_EQ(call(http::Method::post, "/stuck/release").status, 409);
  EXPECT_EQ(call(http::Method::post, "/cluster/adopt", R"({"send_waiting":false})").status, 200);
  EXPECT_EQ(call(http::Method::post, "/drain").status, 200);
  EXPECT_EQ(drains, 1);
}

TEST_F(AdminRoutesTest, NodesAreToldWithWhatTheyHold) {
  EXPECT_EQ(call(http::Method::get, "/nodes").body, R"({"nodes":[]})");
  const auto entered = installation.store->write_and_wait(
      store::WritePriority::claims, [](store::WriteTransaction& transaction) {
        return transaction.enter_node(
            {.name = "3f9c", .roles = "api,courier on mail1.example.jp", .version = "1.2.3"});
      });
  ASSERT_TRUE(entered);
  const std::string told = call(http::Method::get, "/nodes").body;
  EXPECT_THAT(told, HasSubstr(R"("node":"3f9c","roles":"api,courier","host":"mail1.example.jp",)"
                              R"("version":"1.2.3")"));
  EXPECT_THAT(told, HasSubstr(R"("entered_text":"2026-01-01 09:00:00 JST")"));
  EXPECT_THAT(call(http::Method::get, "/nodes?utc_offset_minutes=0").body,
              HasSubstr(R"("entered_text":"2026-01-01 00:00:00 UTC")"));
  EXPECT_EQ(call(http::Method::get, "/nodes?utc_offset_minutes=900").status, 400);
  EXPECT_THAT(told, HasSubstr(R"("state":"alive","lease_left_ms":15000,"batches":0)"));
}

}  // namespace
}  // namespace todoku::api::admin
