// SPDX-License-Identifier: Apache-2.0
// User names of the relay, and messages that are relayed.
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/credential_holds.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

SmtpCredential credential(AccountKey account, std::string_view name) {
  SmtpCredential made;
  made.account = account;
  made.name = name;
  made.secret = "SCRAM-SHA-256$4096:c2FsdA==$a:b";
  made.settings.traffic = TrafficClass::bulk;
  made.settings.purpose = Purpose::notice;
  made.settings.options = 33;
  made.settings.networks = {"192.0.2.0/24", "2001:db8::/32"};
  made.settings.expires = from_epoch_ms(1'900'000'000'123);
  made.settings.from_address = "印刷@example.jp";
  made.settings.show_client = false;
  made.settings.messages_per_minute = 60;
  made.settings.connections_max = 8;
  return made;
}

template <class Work>
auto change_in(Store& store, Work work) {
  return store.write_and_wait(WritePriority::accept, std::move(work));
}

std::vector<std::string> names_in(const std::vector<SmtpCredential>& credentials) {
  std::vector<std::string> names;
  for (const SmtpCredential& each : credentials) names.push_back(each.name);
  return names;
}

TEST_P(StoreSuite, ACredentialIsKeptAsItWasGiven) {
  const Account acme = account();
  const SmtpCredential wanted = credential(acme.key, "shop@example.jp");
  const auto before = must(read([](ReadTransaction& t) { return t.change_numbers(); }));
  must(change_in(*store_, [&](WriteTransaction& t) { return t.add_smtp_credential(wanted); }));
  reopen();
  const auto found =
      must(read([](ReadTransaction& t) { return t.smtp_credential("shop@example.jp"); }));
  EXPECT_EQ(found.account, acme.key);
  EXPECT_EQ(found.settings, wanted.settings);
  EXPECT_EQ(found.secret, wanted.secret);
  EXPECT_EQ(found.created, now());
  EXPECT_FALSE(found.revoked);
  EXPECT_FALSE(found.previous_until);
  const auto after = must(read([](ReadTransaction& t) { return t.change_numbers(); }));
  EXPECT_NE(after.of(Topic::smtp_credentials), before.of(Topic::smtp_credentials));
}

TEST_P(StoreSuite, AUserNameIsOnePersonsForGood) {
  const Account acme = account("acme");
  const Account other = account("other");
  must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(acme.key, "shop"));
  }));
  const auto again = change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(other.key, "shop"));
  });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  // Another case is another name.
  must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(other.key, "Shop"));
  }));
  auto foreign = credential(other.key, "shop");
  const auto changed =
      change_in(*store_, [&](WriteTransaction& t) { return t.change_smtp_credential(foreign); });
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, ErrorKind::not_found);
}

TEST_P(StoreSuite, CredentialsAreListedInPagesAndByAccount) {
  const Account acme = account("acme");
  const Account other = account("other");
  for (const char* name : {"b", "a", "d"}) {
    must(change_in(*store_, [&](WriteTransaction& t) {
      return t.add_smtp_credential(credential(acme.key, name));
    }));
  }
  must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(other.key, "c"));
  }));
  const auto listed = [&](std::optional<AccountKey> of, std::string_view after,
                          std::int64_t limit) {
    return names_in(
        must(read([&](ReadTransaction& t) { return t.smtp_credentials(of, after, limit); })));
  };
  EXPECT_THAT(listed(std::nullopt, "", 3), ElementsAre("a", "b", "c"));
  EXPECT_THAT(listed(std::nullopt, "c", 3), ElementsAre("d"));
  EXPECT_THAT(listed(acme.key, "", 10), ElementsAre("a", "b", "d"));
  EXPECT_THAT(listed(other.key, "c", 10), IsEmpty());
}

TEST_P(StoreSuite, ARotatedCredentialKeepsWhatItWas) {
  const Account acme = account();
  auto kept = must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(acme.key, "shop"));
  }));
  kept.previous_secret = kept.secret;
  kept.previous_until = now() + 1h;
  kept.secret = "SCRAM-SHA-256$4096:c2FsdA==$c:d";
  kept.revoked = now() + 2h;
  must(change_in(*store_, [&](WriteTransaction& t) { return t.change_smtp_credential(kept); }));
  const auto found = must(read([](ReadTransaction& t) { return t.smtp_credential("shop"); }));
  EXPECT_EQ(found.secret, kept.secret);
  EXPECT_EQ(found.previous_secret, kept.previous_secret);
  EXPECT_EQ(found.previous_until, kept.previous_until);
  EXPECT_EQ(found.revoked, kept.revoked);
}

TEST_P(StoreSuite, AUserOfTheMachineHasOneCredential) {
  const Account acme = account();
  const auto of_uid = [&](std::string_view name, std::uint32_t uid) {
    SmtpCredential made = credential(acme.key, name);
    made.settings.uid = uid;
    return made;
  };
  constexpr std::uint32_t kUid = 4'294'967'294;  // the largest that a user can have
  auto first = of_uid("cron", kUid);
  must(change_in(*store_, [&](WriteTransaction& t) { return t.add_smtp_credential(first); }));
  auto other = must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(acme.key, "other"));
  }));
  const auto found = must(read([](ReadTransaction& t) { return t.smtp_credential_of_uid(kUid); }));
  EXPECT_EQ(found.name, "cron");
  EXPECT_EQ(found.settings, first.settings);
  EXPECT_EQ(error_of(read([](ReadTransaction& t) { return t.smtp_credential_of_uid(0); })),
            "not_found");

  other.settings.uid = kUid;
  const auto take = [&] {
    return change_in(*store_, [&](WriteTransaction& t) { return t.change_smtp_credential(other); });
  };
  EXPECT_EQ(error_of(take()), "conflict");
  EXPECT_EQ(error_of(change_in(
                *store_,
                [&](WriteTransaction& t) { return t.add_smtp_credential(of_uid("new", kUid)); })),
            "conflict");
  // It keeps its own with another change, and gives it up when it is revoked.
  first.settings.bounces = false;
  must(change_in(*store_, [&](WriteTransaction& t) { return t.change_smtp_credential(first); }));
  first.revoked = now();
  must(change_in(*store_, [&](WriteTransaction& t) { return t.change_smtp_credential(first); }));
  must(take());
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.smtp_credential_of_uid(kUid); })).name,
            "other");
}

// Of a rotation and a revocation at the same moment neither may undo the other.
TEST_P(StoreSuite, ChangesOfACredentialAreMadeOneAfterTheOther) {
  const Account acme = account();
  must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(acme.key, "shop"));
  }));
  constexpr int kEach = 20;
  const auto add_octets = [&] {
    for (int i = 0; i < kEach; ++i) {
      must(change_in(*store_, [](WriteTransaction& t) -> Result<void> {
        auto held = t.hold_smtp_credential("shop");
        if (!held) return fail(std::move(held.error()));
        held->previous_secret += 'x';
        return t.change_smtp_credential(*held);
      }));
    }
  };
  std::thread other(add_octets);
  add_octets();
  other.join();
  EXPECT_THAT(
      must(read([](ReadTransaction& t) { return t.smtp_credential("shop"); })).previous_secret,
      SizeIs(2 * kEach));
}

TEST_P(StoreSuite, AnAccountHasSoManyCredentialsAndNoMore) {
  const Account acme = account();
  must(change_in(*store_, [&](WriteTransaction& t) -> Result<void> {
    for (std::int64_t i = 0; i < kSmtpCredentialsMax; ++i) {
      must(t.add_smtp_credential(credential(acme.key, fmt::format("number-{}", i))));
    }
    return {};
  }));
  const auto one_more = [&](AccountKey whose) {
    return change_in(*store_, [&](WriteTransaction& t) {
      return t.add_smtp_credential(credential(whose, "one-more"));
    });
  };
  EXPECT_EQ(error_of(one_more(acme.key)), "limit_exceeded");
  must(one_more(account("other").key));
}

TEST_P(StoreSuite, ACredentialThatNobodyCouldUseIsRefused) {
  const Account acme = account();
  const auto error = [&](auto spoil) {
    SmtpCredential made = credential(acme.key, "shop");
    spoil(made);
    return error_of(
        change_in(*store_, [&](WriteTransaction& t) { return t.add_smtp_credential(made); }));
  };
  EXPECT_EQ(error([](SmtpCredential& made) { made.name = ""; }), "invalid_input");
  EXPECT_EQ(error([](SmtpCredential& made) { made.name = std::string(65, 'a'); }), "invalid_input");
  EXPECT_EQ(error([](SmtpCredential& made) { made.name = "a b"; }), "invalid_input");
  EXPECT_EQ(error([](SmtpCredential& made) { made.name = "店"; }), "invalid_input");
  EXPECT_EQ(error([](SmtpCredential& made) { made.settings.connections_max = -1; }),
            "invalid_input");
  EXPECT_EQ(error([](SmtpCredential& made) { made.settings.from_address = "\xff"; }),
            "invalid_input");
  EXPECT_EQ(error([](SmtpCredential& made) { made.account = AccountKey{999}; }), "not_found");
}

TEST(SmtpSettings, WhatIsDamagedIsNoSettings) {
  const SmtpCredentialSettings settings = credential({}, "shop").settings;
  const std::string packed = pack_smtp_settings(settings);
  EXPECT_EQ(must(unpack_smtp_settings(packed)), settings);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_EQ(error_of(unpack_smtp_settings(packed.substr(0, size))), "corrupt") << size;
  }
  std::string other_traffic = packed;
  other_traffic[1] = 3;
  EXPECT_EQ(error_of(unpack_smtp_settings(other_traffic)), "corrupt");
  std::string other_purpose = packed;
  other_purpose[2] = 4;
  EXPECT_EQ(error_of(unpack_smtp_settings(other_purpose)), "corrupt");
}

// ---- holds -------------------------------------------------------------------------------------

NewDelivery message_of(AccountKey account, std::string_view whose, TrafficClass traffic) {
  NewDelivery delivery;
  delivery.account = account;
  delivery.type = DeliveryType::smtp;
  delivery.traffic = traffic;
  delivery.content.relayed =
      RelayedEnvelope{.mail_from = "news@example.jp", .credential = std::string(whose)};
  return delivery;
}

Result<bool> put_on_hold(Store& store, const char* name, std::string_view because, Instant at) {
  return change_in(store, [=](WriteTransaction& t) -> Result<bool> {
    auto credential = t.hold_smtp_credential(name);
    if (!credential) return fail(credential.error());
    return hold_credential(t, *credential, because, at);
  });
}

Result<bool> let_go(Store& store, const char* name, Instant at) {
  return change_in(store, [=](WriteTransaction& t) -> Result<bool> {
    auto credential = t.hold_smtp_credential(name);
    if (!credential) return fail(credential.error());
    return release_credential(t, *credential, at);
  });
}

TEST_P(StoreSuite, AHoldIsKeptAndTold) {
  const Account acme = account();
  for (const char* name : {"shop", "other"}) {
    must(change_in(*store_, [&](WriteTransaction& t) {
      return t.add_smtp_credential(credential(acme.key, name));
    }));
  }
  const auto before = must(read([](ReadTransaction& t) { return t.change_numbers(); }));
  EXPECT_TRUE(must(put_on_hold(*store_, "shop", "much mail", now())));
  EXPECT_FALSE(must(put_on_hold(*store_, "shop", "again", now())));
  reopen();
  const auto held = must(read([](ReadTransaction& t) { return t.smtp_credential("shop"); }));
  EXPECT_EQ(held.held, now());
  EXPECT_EQ(held.held_because, "much mail");
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.held_smtp_credentials(10); })),
              ElementsAre("shop"));
  const auto after = must(read([](ReadTransaction& t) { return t.change_numbers(); }));
  EXPECT_NE(after.of(Topic::held), before.of(Topic::held)) << "couriers hear of it";
  EXPECT_NE(after.of(Topic::smtp_credentials), before.of(Topic::smtp_credentials));

  EXPECT_TRUE(must(let_go(*store_, "shop", now())));
  EXPECT_FALSE(must(let_go(*store_, "shop", now())));
  const auto free = must(read([](ReadTransaction& t) { return t.smtp_credential("shop"); }));
  EXPECT_FALSE(free.held);
  EXPECT_EQ(free.released, now());
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.held_smtp_credentials(10); })),
              IsEmpty());
  const auto events =
      must(read([&](ReadTransaction& t) { return t.events({.account = acme.key}); })).events;
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].entry.kind, EventKind::credential_held);
  EXPECT_FALSE(events[0].is_gone) << "it is of no delivery";
  ASSERT_TRUE(events[0].entry.credential);
  EXPECT_EQ(*events[0].entry.credential, (CredentialNews{"shop", "much mail"}));
  EXPECT_EQ(events[1].entry.kind, EventKind::credential_released);
}

TEST_P(StoreSuite, OfAHeldCredentialNothingIsLeased) {
  const Account acme = account();
  for (const char* name : {"shop", "other"}) {
    must(change_in(*store_, [&](WriteTransaction& t) {
      return t.add_smtp_credential(credential(acme.key, name));
    }));
  }
  NodeKey node = enter("courier");
  const auto accept = [&](std::string_view whose) {
    Accept wanted;
    wanted.delivery = message_of(acme.key, whose, TrafficClass::transactional);
    wanted.recipients = {{"a@example.com", "example.com", {}}};
    wanted.life_time = 2h;
    return must(store_->perform_and_wait(std::move(wanted))).waiting.at(0);
  };
  const BatchKey mine = accept("shop");
  const BatchKey others = accept("other");
  const BatchKey nobodys = accept("");
  must(put_on_hold(*store_, "shop", "much mail", now()));
  const auto claim = [&](const BatchKey& key) {
    auto claimed = must(store_->perform_and_wait(Claim{.node = node, .batches = {key}}));
    return std::move(claimed.batches.at(0));
  };
  EXPECT_FALSE(claim(mine));
  EXPECT_EQ(claim(others)->credential, "other");
  EXPECT_EQ(claim(nobodys)->credential, "");
  const auto story =
      must(read([&](ReadTransaction& t) { return t.story({mine.delivery, mine.batch, 0}); }));
  EXPECT_EQ(story.credential_held, "shop");
  EXPECT_FALSE(claim(mine)) << "it stands aside";
  must(let_go(*store_, "shop", now()));
  clock_.advance(kSuspendedWait);
  node = enter("courier");  // a lease is shorter
  const auto leased = claim(mine);
  ASSERT_TRUE(leased);
  EXPECT_EQ(leased->credential, "shop");
}

TEST_P(StoreSuite, WhatAHeldCredentialHandedInStillEnds) {
  const Account acme = account();
  must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(acme.key, "shop"));
  }));
  const NodeKey node = enter("courier");
  Accept wanted;
  wanted.delivery = message_of(acme.key, "shop", TrafficClass::transactional);
  wanted.recipients = {{"a@example.com", "example.com", {}}};
  wanted.life_time = 5s;
  const BatchKey mine = must(store_->perform_and_wait(std::move(wanted))).waiting.at(0);
  must(put_on_hold(*store_, "shop", "much mail", now()));
  clock_.advance(6s);
  const auto claimed = must(store_->perform_and_wait(Claim{.node = node, .batches = {mine}}));
  ASSERT_TRUE(claimed.batches.at(0)) << "it is leased to be given up";
  EXPECT_LT(claimed.batches.at(0)->expires_in, 0ms);
}

TEST_P(StoreSuite, BulkOfAHeldCredentialIsNotOffered) {
  const Account acme = account();
  must(change_in(*store_, [&](WriteTransaction& t) {
    return t.add_smtp_credential(credential(acme.key, "shop"));
  }));
  const std::vector<NewRecipient> to{{"a@example.com", "example.com", {}}};
  const DeliveryKey key =
      must(change_in(*store_, [&](WriteTransaction& t) {
        return t.create_draft(message_of(acme.key, "shop", TrafficClass::bulk), std::nullopt);
      })).key;
  must(change_in(*store_, [&](WriteTransaction& t) { return t.append_recipients(key, to); }));
  must(change_in(*store_,
                 [&](WriteTransaction& t) { return t.commit_draft(key, std::nullopt, {}); }));
  must(change_in(*store_, [&](WriteTransaction& t) { return t.start_delivery(key, "", 1h); }));
  must(put_on_hold(*store_, "shop", "much mail", now()));
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.sending_bulk(); })), IsEmpty());
  must(let_go(*store_, "shop", now()));
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.sending_bulk(); })), SizeIs(1));
}

TEST_P(StoreSuite, TheHourOfTheLastUseOfACredentialIsKept) {
  const Account acme = account();
  SmtpCredential wanted;
  wanted.account = acme.key;
  wanted.name = "shop";
  wanted.secret = "secret";
  SmtpCredential shop =
      must(change_in(*store_, [&](WriteTransaction& t) { return t.add_smtp_credential(wanted); }));
  EXPECT_EQ(shop.used, std::nullopt);
  const auto use = [&](std::string_view name) {
    must(change_in(*store_, [&](WriteTransaction& t) { return t.use_smtp_credential(name); }));
  };
  const auto used = [&] {
    return must(read([](ReadTransaction& t) { return t.smtp_credential("shop"); })).used;
  };
  clock_.advance(5h);
  const Instant hour = std::chrono::floor<std::chrono::hours>(now());
  use("shop");
  use("nobody");
  EXPECT_EQ(used(), hour);
  shop.revoked = now();
  must(change_in(*store_, [&](WriteTransaction& t) { return t.change_smtp_credential(shop); }));
  EXPECT_EQ(used(), hour) << "whoever changes it has read it before";
  clock_.advance(1h);
  use("shop");
  reopen();
  EXPECT_EQ(used(), hour + 1h);
}

TEST_P(StoreSuite, HabitsAreKeptAsTheyWereGiven) {
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.smtp_habits("shop"); })), "");
  const std::string habits("h\0\xff", 3);
  for (const std::string& given : {std::string("first"), habits}) {
    must(
        change_in(*store_, [&](WriteTransaction& t) { return t.keep_smtp_habits("shop", given); }));
  }
  reopen();
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.smtp_habits("shop"); })), habits);
  EXPECT_EQ(
      must(change_in(*store_, [](WriteTransaction& t) { return t.read().smtp_habits("shop"); })),
      habits);
}

// A mailing is appended and started like any other bulk.
TEST_P(StoreSuite, AMailingBySmtpTakesItsTurnAmongBulk) {
  const Account acme = account();
  NewDelivery delivery;
  delivery.account = acme.key;
  delivery.type = DeliveryType::smtp;
  delivery.traffic = TrafficClass::bulk;
  const std::vector<NewRecipient> to{{"a@example.com", "example.com", {}}};
  const DeliveryKey key = must(change_in(*store_, [&](WriteTransaction& t) {
                            return t.create_draft(delivery, std::nullopt);
                          })).key;
  must(change_in(*store_, [&](WriteTransaction& t) { return t.append_recipients(key, to); }));
  must(change_in(*store_,
                 [&](WriteTransaction& t) { return t.commit_draft(key, std::nullopt, {}); }));
  must(change_in(*store_, [&](WriteTransaction& t) { return t.start_delivery(key, "", 1h); }));
  const auto sending = must(read([](ReadTransaction& t) { return t.sending_bulk(); }));
  ASSERT_THAT(sending, SizeIs(1));
  EXPECT_EQ(sending[0].key, key);
  const auto due = must(store_->perform_and_wait(Due{.workload = key}));
  ASSERT_THAT(due.domains, SizeIs(1));
  EXPECT_EQ(due.domains[0].batches[0].traffic, TrafficClass::bulk);
}

TEST_P(StoreSuite, ARelayedMessageIsTheContentOfItsDelivery) {
  const Account acme = account();
  RelayedEnvelope envelope{.mail_from = "news@example.jp",
                           .smtputf8 = true,
                           .envid = "id-1",
                           .ret = 1,
                           .credential = "shop",
                           .head_octets = 17,
                           .is_eight_bit = true,
                           .has_long_line = true};
  Accept accept;
  accept.delivery.account = acme.key;
  accept.delivery.type = DeliveryType::smtp;
  accept.delivery.content.from = {"news@example.jp", ""};
  accept.delivery.content.subject = "s";
  accept.delivery.content.relayed = envelope;
  accept.delivery.content.attachments = {
      {"", "message/rfc822", "Subject: s\r\n\r\n" + std::string("\x82\xa0\r\n")}};
  accept.recipients = {{"a@example.com", "example.com", {{"NOTIFY", "NEVER"}}}};
  accept.life_time = 1h;
  const auto made = must(store_->perform_and_wait(accept));
  reopen();
  const auto key = made.delivery.key;
  const auto delivery = must(read([&](ReadTransaction& t) { return t.delivery(key); }));
  EXPECT_EQ(delivery.type, DeliveryType::smtp);
  EXPECT_EQ(delivery.content.relayed, envelope);
  EXPECT_THAT(delivery.attachments, SizeIs(1));
  const auto content = must(read([&](ReadTransaction& t) { return t.content(key); }));
  EXPECT_EQ(content.attachments, accept.delivery.content.attachments);
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.attachment_part(key, 0, 9, 5); })),
            std::string("s\r\n\r\n"));
}

}  // namespace
}  // namespace todoku::store
