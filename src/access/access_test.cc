// SPDX-License-Identifier: Apache-2.0
#include "access/access.h"

#include <gtest/gtest.h>

#include "access/scopes.h"
#include "access/ses_keys.h"
#include "base/digest.h"
#include "support/installation.h"

namespace todoku::access {
namespace {

using std::chrono::seconds;

TEST(BearerToken, MatchesTheVectorsOfTheContract) {
  EXPECT_EQ(bearer_token("blastengine", "ABCDEFG"),
            "MWYwZWVlOGZjMTIwNjc2ZmM1ODk0OTJmMTUyMjhlZmIzZDAyMWYwYWVlNGIwMDZlZmIyN2M3ZWUzM2Y1ZDZj"
            "OQ==");
  EXPECT_EQ(bearer_token("testUserId", "testApiKey"),
            "NGY4YjlhNzE0OWYzMTFiNDE5OTJhMmJlYTQxMDlkMmE4MmY1MTNhZWVjNWVhZDRiOGFkNzgxYzZmZmY3MTZj"
            "Ng==");
}

TEST(RateLimit, CountsByWindowAndAccount) {
  RateLimit limit(2);
  const SteadyInstant start(seconds(100));
  const store::AccountKey one{1};
  EXPECT_EQ(limit.admit(one, start).remaining, 1U);
  EXPECT_TRUE(limit.admit(one, start).allowed);
  const auto refused = limit.admit(one, start + seconds(20));
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after_seconds, 40U);
  EXPECT_EQ(limit.remaining(one, start + seconds(20)), 0U);
  EXPECT_EQ(limit.remaining(store::AccountKey{2}, start), 2U);
  EXPECT_TRUE(limit.admit(store::AccountKey{2}, start).allowed);
  EXPECT_EQ(limit.remaining(store::AccountKey{2}, start), 1U);
  EXPECT_EQ(limit.remaining(store::AccountKey{2}, start), 1U) << "to look is not to ask";
  EXPECT_EQ(limit.remaining(one, start + seconds(60)), 2U);
  EXPECT_TRUE(limit.admit(one, start + seconds(60)).allowed);
}

TEST(RateLimit, AnAccountsOwnLimitTakesThePlaceOfThatOfAll) {
  RateLimit limit(5);
  const SteadyInstant now(seconds(100));
  const store::AccountKey one{1};
  EXPECT_EQ(limit.limit_of(one, now), 5U);
  EXPECT_EQ(limit.admit(one, now, 2).remaining, 1U);
  EXPECT_EQ(limit.admit(one, now, 2).limit, 2U);
  const auto refused = limit.admit(one, now, 2);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.limit, 2U);
  EXPECT_EQ(limit.limit_of(one, now), 2U);
  EXPECT_TRUE(limit.admit(one, now).allowed) << "taken away, that of all holds";
  EXPECT_TRUE(RateLimit(0).admit(one, now, 1).allowed);
  RateLimit none(0);
  EXPECT_TRUE(none.admit(one, now, 1).allowed);
  EXPECT_FALSE(none.admit(one, now, 1).allowed);
}

TEST(Scopes, AreReadAndToldInWords) {
  EXPECT_EQ(*parse_scopes("send"), static_cast<store::Scopes>(store::Scope::send));
  EXPECT_EQ(*parse_scopes("admin, read,read"), store::Scope::read | store::Scope::admin);
  EXPECT_EQ(to_string(*parse_scopes("admin,suppress,content,read,send")),
            "send,read,content,suppress,admin");
  EXPECT_EQ(to_string(store::kScopesOfClients), "send,read,content,suppress");
  EXPECT_EQ(*parse_scopes("ses"), static_cast<store::Scopes>(store::Scope::ses));
  for (const char* wrong :
       {"send,ses", "ses,read", "", ",", "send,", "Send", "sends", "send;read"}) {
    EXPECT_FALSE(parse_scopes(wrong)) << wrong;
  }
}

TEST(SesKeys, HaveASecretOfTheMasterKeyAndAHashThatNoTokenHas) {
  const std::string id = new_access_key_id();
  EXPECT_EQ(id.size(), 20U);
  EXPECT_NE(id, new_access_key_id());
  const SecretBox box(MasterKey::generate());
  const SecretBox other(MasterKey::generate());
  EXPECT_EQ(secret_access_key(box, id).view().size(), 40U);
  EXPECT_EQ(secret_access_key(box, id), secret_access_key(box, id));
  EXPECT_NE(secret_access_key(box, id).view(), secret_access_key(other, id).view());
  EXPECT_NE(secret_access_key(box, id).view(), secret_access_key(box, id + "A").view());
  EXPECT_NE(access_key_hash(id), sha256_hex(id));
}

class DoorTest : public testing::Test {
 protected:
  void add_key(std::string token, store::NewApiKey key) {
    key.token_sha256 = sha256_hex(token);
    const auto added = installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<store::ApiKey> {
          auto account = t.read().account_by_name("shop");
          if (!account) account = t.create_account("shop");
          if (!account) return fail(account.error());
          return t.add_api_key(account->key, key);
        });
    ASSERT_TRUE(added) << added.error().detail;
  }
  // What is said to who comes; empty: come in.
  std::string refusal(const std::string& token, std::string_view from = "192.0.2.1") {
    const auto holder = run(door_.authenticate("Bearer " + token, *net::IpAddress::parse(from)));
    return holder ? "" : holder.error().reason.en;
  }

  TestStore installation_;
  Authenticator door_{*installation_.store, installation_.clock};
};

TEST_F(DoorTest, AKeyIsForItsNetworks) {
  add_key("office", {.label = "", .networks = {"192.0.2.0/24", "2001:db8::/32"}});
  EXPECT_EQ(refusal("office"), "");
  EXPECT_EQ(refusal("office", "2001:db8::7"), "");
  EXPECT_EQ(refusal("office", "198.51.100.1"), "this API key may not be used from 198.51.100.1");
  EXPECT_EQ(refusal("office"), "") << "that somebody else came with it changes nothing";
  add_key("broken", {.label = "", .networks = {"nowhere"}});
  EXPECT_NE(refusal("broken"), "") << "what cannot be read lets nobody in";
}

TEST_F(DoorTest, TheLastUseOfAKeyIsWrittenOnceAnHour) {
  add_key("web", {.label = ""});
  const auto from = *net::IpAddress::parse("192.0.2.1");
  const auto come = [&] {
    const auto holder = run(door_.authenticate("Bearer web", from));
    ASSERT_TRUE(holder);
    door_.used(holder->key);
  };
  const auto stored = [&] {
    return installation_.store
        ->read_and_wait([](store::ReadTransaction& t) { return t.key_by_token(sha256_hex("web")); })
        ->key.used;
  };
  const auto write = [&] { ASSERT_TRUE(run(door_.write_uses())); };
  come();
  EXPECT_EQ(stored(), std::nullopt) << "not by the request itself";
  write();
  const Instant hour = std::chrono::floor<std::chrono::hours>(installation_.clock.now());
  EXPECT_EQ(stored(), hour);
  installation_.clock.advance(std::chrono::hours(1));
  write();
  EXPECT_EQ(stored(), hour) << "nobody has come since";
  come();
  write();
  EXPECT_EQ(stored(), hour + std::chrono::hours(1));
}

TEST_F(DoorTest, AKeyOpensUntilItExpiresToTheMillisecond) {
  add_key("short", {.label = "", .life = std::chrono::seconds(10)});
  EXPECT_EQ(refusal("short"), "");
  installation_.clock.advance(std::chrono::milliseconds(9'000));
  EXPECT_EQ(refusal("short"), "");
  installation_.clock.advance(std::chrono::milliseconds(999));
  EXPECT_EQ(refusal("short"), "") << "remembered or not";
  installation_.clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(refusal("short"), "this API key has expired");
}

}  // namespace
}  // namespace todoku::access
