// SPDX-License-Identifier: Apache-2.0
// Settings, accounts, API keys, DKIM keys.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/walks.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

TEST_P(StoreSuite, ASettingIsKeptAndReplaced) {
  const auto setting = [&] {
    return must(read([](ReadTransaction& t) { return t.setting("instance"); }));
  };
  EXPECT_EQ(setting(), std::nullopt);
  const std::string octets("a\0b\xff", 4);
  must(write([&](WriteTransaction& t) { return t.put_setting("instance", octets); }));
  EXPECT_EQ(setting(), octets);
  must(write([&](WriteTransaction& t) { return t.put_setting("instance", ""); }));
  EXPECT_EQ(setting(), "");
  reopen();
  EXPECT_EQ(setting(), "");
}

TEST_P(StoreSuite, ASettingThatIsPutOnceIsTheFirst) {
  const auto put = [&](std::string_view value) {
    return must(write([&](WriteTransaction& t) { return t.put_setting_once("once", value); }));
  };
  EXPECT_EQ(put("a"), "a");
  EXPECT_EQ(put("b"), "a");
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.setting("once"); })), "a");
}

TEST_P(StoreSuite, AccountsHaveUniqueNames) {
  const Account acme = account("acme");
  const Account other = account("other");
  EXPECT_NE(acme.key, other.key);
  EXPECT_EQ(acme.weight, 1U);
  EXPECT_FALSE(acme.suspended);
  EXPECT_EQ(acme.created, now());
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.create_account("acme"); })),
            "conflict");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.create_account(""); })),
            "invalid_input");
  const auto page = [&](AccountKey after, std::int64_t limit) {
    return must(read([&](ReadTransaction& t) { return t.accounts(after, limit); }));
  };
  EXPECT_THAT(page({}, 10), SizeIs(2));
  ASSERT_THAT(page({}, 1), SizeIs(1));
  EXPECT_EQ(page({}, 1)[0].key, acme.key);
  ASSERT_THAT(page(acme.key, 10), SizeIs(1));
  EXPECT_EQ(page(acme.key, 10)[0].key, other.key);
  EXPECT_THAT(page(other.key, 10), IsEmpty());
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.account_by_name("other"); })).key,
            other.key);
  EXPECT_EQ(error_of(read([](ReadTransaction& t) { return t.account_by_name("nobody"); })),
            "not_found");
}

TEST_P(StoreSuite, AnAccountForTrialsIsOneForEver) {
  EXPECT_FALSE(account("acme").sandbox);
  Account trial = must(write([](WriteTransaction& t) { return t.create_account("trial", true); }));
  EXPECT_TRUE(trial.sandbox);
  trial.sandbox = false;
  must(write([&](WriteTransaction& t) { return t.change_account(trial); }));
  EXPECT_TRUE(must(read([](ReadTransaction& t) { return t.account_by_name("trial"); })).sandbox);
  AccountKinds kinds;
  while (!must(read([&](ReadTransaction& t) { return kinds.step(t); }))) {
  }
  EXPECT_FALSE(kinds.several()) << "nobody is to be taken for";
  EXPECT_THAT(kinds.take_sandboxes(), ElementsAre(trial.key));
}

TEST_P(StoreSuite, AnAccountsSettingsChange) {
  Account acme = account();
  acme.weight = 20;
  acme.suspended = true;
  EXPECT_TRUE(acme.text_from_html);
  acme.text_from_html = false;
  EXPECT_EQ(acme.preflight, PreflightMode::warn) << "as long as nobody says otherwise";
  acme.preflight = PreflightMode::enforce;
  EXPECT_FALSE(acme.sandbox);
  EXPECT_EQ(acme.allowed_recipients, "") << "all, as long as nobody says otherwise";
  acme.allowed_recipients = "example.com\nken@example.jp";
  must(write([&](WriteTransaction& t) { return t.change_account(acme); }));
  const Account changed = must(read([](ReadTransaction& t) { return t.account_by_name("acme"); }));
  EXPECT_EQ(changed.weight, 20U);
  EXPECT_TRUE(changed.suspended);
  EXPECT_FALSE(changed.text_from_html);
  EXPECT_EQ(changed.preflight, PreflightMode::enforce);
  EXPECT_EQ(changed.allowed_recipients, "example.com\nken@example.jp");
  for (const std::uint32_t weight : {0U, 1001U}) {
    acme.weight = weight;
    EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.change_account(acme); })),
              "invalid_input");
  }
  Account stranger;
  stranger.key = AccountKey{999};
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.change_account(stranger); })),
            "not_found");
}

TEST_P(StoreSuite, AnApiKeyOpensItsAccountUntilItIsRevoked) {
  const Account acme = account();
  const auto add = [&](AccountKey to, std::string_view token) {
    return write([&](WriteTransaction& t) {
      return t.add_api_key(to, {.label = "web", .token_sha256 = std::string(token)});
    });
  };
  const auto find = [&](std::string_view token) {
    return read([&](ReadTransaction& t) { return t.key_by_token(token); });
  };
  const ApiKey first = must(add(acme.key, "aa11"));
  const ApiKey second = must(add(acme.key, "bb22"));
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(must(find("aa11")).account.name, "acme");
  EXPECT_EQ(error_of(find("cc33")), "not_found");
  EXPECT_EQ(error_of(add(acme.key, "aa11")), "conflict");
  EXPECT_EQ(error_of(add(AccountKey{999}, "dd44")), "not_found");

  clock_.advance(std::chrono::seconds(5));
  const auto revoke = [&](AccountKey of, std::int64_t id) {
    return write([&](WriteTransaction& t) { return t.revoke_api_key(of, id); });
  };
  must(revoke(acme.key, first.id));
  EXPECT_EQ(error_of(find("aa11")), "not_found");
  EXPECT_EQ(must(find("bb22")).account.key, acme.key);
  const auto keys = must(read([&](ReadTransaction& t) { return t.api_keys(acme.key); }));
  ASSERT_THAT(keys, SizeIs(2));
  EXPECT_EQ(keys[0].revoked, now());
  EXPECT_EQ(keys[1].revoked, std::nullopt);
  EXPECT_EQ(keys[1].label, "web");
  EXPECT_EQ(error_of(revoke(acme.key, 999)), "not_found");
  EXPECT_EQ(error_of(revoke(account("other").key, second.id)), "not_found");
}

TEST_P(StoreSuite, TheHourOfTheLastUseOfAKeyIsKept) {
  const Account acme = account();
  const auto add = [&](std::string_view token) {
    return must(write([&](WriteTransaction& t) {
      return t.add_api_key(acme.key, {.label = "web", .token_sha256 = std::string(token)});
    }));
  };
  const ApiKey one = add("aa11");
  const ApiKey other = add("bb22");
  const auto used = [&](std::string_view token) {
    return must(read([&](ReadTransaction& t) { return t.key_by_token(token); })).key.used;
  };
  const auto use = [&](const std::vector<std::int64_t>& ids) {
    must(write([&](WriteTransaction& t) { return t.use_api_keys(ids); }));
  };
  EXPECT_EQ(used("aa11"), std::nullopt);
  const Instant hour = std::chrono::floor<std::chrono::hours>(now()) + 1h;
  clock_.advance(hour + 59min - now());
  const auto changes = must(read([](ReadTransaction& t) { return t.change_numbers(); }));
  use({one.id, 999'999, one.id});
  EXPECT_EQ(used("aa11"), hour);
  EXPECT_EQ(used("bb22"), std::nullopt);
  use({});
  clock_.advance(2min);
  use({other.id, one.id});
  reopen();
  EXPECT_EQ(used("aa11"), hour + 1h);
  const auto keys = must(read([&](ReadTransaction& t) { return t.api_keys(acme.key); }));
  ASSERT_THAT(keys, SizeIs(2));
  EXPECT_EQ(keys[1].used, hour + 1h);
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.change_numbers(); })).of(Topic::api_keys),
            changes.of(Topic::api_keys))
      << "nobody has to read keys anew";
}

TEST_P(StoreSuite, AnApiKeyHasItsTerms) {
  const Account acme = account();
  const auto active = [&] {
    return must(
        read([&](ReadTransaction& t) { return t.active_keys(acme.key, acme.key); }))[acme.key];
  };
  const auto find = [&](std::string_view token) {
    return must(read([&](ReadTransaction& t) { return t.key_by_token(token); })).key;
  };
  const auto expire = [&](std::int64_t id, Milliseconds in) {
    return write([&](WriteTransaction& t) { return t.expire_api_key(acme.key, id, in); });
  };
  const ApiKey plain = must(write([&](WriteTransaction& t) {
    return t.add_api_key(acme.key, {.label = "web", .token_sha256 = "aa11"});
  }));
  const ApiKey narrow = must(write([&](WriteTransaction& t) {
    return t.add_api_key(acme.key, {.label = "ci",
                                    .token_sha256 = "bb22",
                                    .scopes = Scope::send | Scope::admin,
                                    .networks = {"192.0.2.0/24", "2001:db8::/32"},
                                    .life = std::chrono::hours(1)});
  }));
  EXPECT_EQ(find("aa11").scopes, kScopesOfClients);
  EXPECT_THAT(find("aa11").networks, IsEmpty());
  EXPECT_EQ(find("aa11").expires, std::nullopt);
  EXPECT_EQ(find("bb22").scopes, Scope::send | Scope::admin);
  EXPECT_THAT(find("bb22").networks, ElementsAre("192.0.2.0/24", "2001:db8::/32"));
  EXPECT_EQ(find("bb22").expires, narrow.created + std::chrono::hours(1));
  EXPECT_EQ(active(), 2);

  must(expire(narrow.id, std::chrono::hours(2)));
  EXPECT_EQ(find("bb22").expires, narrow.expires) << "it lives no longer for that";
  EXPECT_EQ(find("bb22").life, std::chrono::hours(1));
  EXPECT_EQ(find("aa11").life, std::nullopt);
  must(expire(plain.id, std::chrono::minutes(90)));
  EXPECT_EQ(find("aa11").expires, now() + std::chrono::minutes(90));
  clock_.advance(std::chrono::minutes(61));
  EXPECT_EQ(active(), 1);
  EXPECT_EQ(find("bb22").expires, narrow.expires) << "who asks judges";
  must(write([&](WriteTransaction& t) { return t.revoke_api_key(acme.key, plain.id); }));
  EXPECT_EQ(error_of(expire(plain.id, std::chrono::hours(1))), "conflict");
  EXPECT_EQ(error_of(expire(999, std::chrono::hours(1))), "not_found");
}

TEST_P(StoreSuite, ADkimKeyReplacesNoneOfTheSameSelector) {
  const Account acme = account();
  DkimKey key{acme.key,     "example.com",           "s1",        "rsa-sha256",
              "sealed\0ed", "v=DKIM1; k=rsa; p=abc", clock_.now()};
  const auto put = [&] { return write([&](WriteTransaction& t) { return t.put_dkim_key(key); }); };
  const auto keys = [&] {
    return must(read([](ReadTransaction& t) { return t.dkim_keys({}, 10); }));
  };
  must(put());
  const std::string first = std::exchange(key.algorithm, "ed25519-sha256");
  EXPECT_EQ(error_of(put()), "conflict");
  ASSERT_THAT(keys(), SizeIs(1));
  EXPECT_EQ(keys()[0].algorithm, first);
  EXPECT_EQ(keys()[0].sealed_private_key, key.sealed_private_key);
  EXPECT_EQ(keys()[0].dns_record, key.dns_record);
  key.selector = "s2";
  must(put());
  EXPECT_THAT(keys(), SizeIs(2));
  const auto rest = must(
      read([&](ReadTransaction& t) { return t.dkim_keys({acme.key, "example.com", "s1"}, 10); }));
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_EQ(rest[0].selector, "s2");
  const auto remove = [&] {
    return write(
        [&](WriteTransaction& t) { return t.remove_dkim_key(acme.key, "example.com", "s1"); });
  };
  must(remove());
  EXPECT_EQ(error_of(remove()), "not_found");
  EXPECT_THAT(keys(), SizeIs(1));
  key.account = AccountKey{999};
  EXPECT_EQ(error_of(put()), "not_found");
}

TEST_P(StoreSuite, AnEmptyStoreAnswersEveryQuestion) {
  must(read([&](ReadTransaction& t) -> Result<void> {
    EXPECT_THAT(must(t.accounts({}, 10)), IsEmpty());
    EXPECT_THAT(must(t.match_deliveries({}, DeliveryOrder::newest_first, {}, 10)).matches,
                IsEmpty());
    EXPECT_THAT(must(t.deliveries_to_start(10)), IsEmpty());
    EXPECT_EQ(must(t.next_reservation()), std::nullopt);
    EXPECT_THAT(must(t.sending_bulk()), IsEmpty());
    EXPECT_THAT(must(t.running_imports(me_)), IsEmpty());
    EXPECT_THAT(must(t.stories("nobody@example.jp", std::nullopt, 10, {})).stories, IsEmpty());
    EXPECT_EQ(error_of(t.delivery(DeliveryKey{1})), "not_found");
    EXPECT_EQ(error_of(t.delivery(AccountKey{1}, 1)), "not_found");
    EXPECT_EQ(error_of(t.content(DeliveryKey{1})), "not_found");
    EXPECT_EQ(error_of(t.recipient(AccountKey{1}, 1)), "not_found");
    EXPECT_EQ(error_of(t.story({DeliveryKey{1}, 0, 0})), "not_found");
    EXPECT_EQ(error_of(t.import_job(AccountKey{1}, 1)), "not_found");
    for (const QueueFigures& figures : must(t.queue_figures())) {
      EXPECT_EQ(figures.waiting, 0);
      EXPECT_EQ(figures.oldest, std::nullopt);
    }
    return {};
  }));
}

}  // namespace
}  // namespace todoku::store
