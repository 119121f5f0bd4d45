// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/date_time.h"
#include "mail/scram_secrets.h"
#include "operate/operations.h"
#include "support/installation.h"

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

struct SmtpCredentialTest : testing::Test {
  TestStore installation;
  int changes = 0;
  Operations operations{*installation.store, installation.clock,
                        Operations::Options{.changed = [this] { return take_over(); }}};

  SmtpCredentialTest() { EXPECT_TRUE(run(operations.add_account({.name = "shop"}))); }

  Task<Result<void>> take_over() {
    ++changes;
    co_return Result<void>();
  }
  store::SmtpCredential stored(const std::string& name) {
    return installation.store
        ->read_and_wait([&](store::ReadTransaction& t) { return t.smtp_credential(name); })
        .value();
  }
  static bool opens(const std::string& secret, std::string_view password) {
    return ScramSecrets::parse(secret)->matches(password);
  }
  std::string problem(const SmtpTerms& terms, std::string password = "") {
    const auto refused = run(
        operations.add_smtp_credential("shop", "relay", terms, SecretText(std::move(password))));
    return refused ? "" : refused.error().detail;
  }
};

TEST_F(SmtpCredentialTest, ItsPasswordIsToldOnceAndOpensIt) {
  const int before = changes;
  const auto made = run(operations.add_smtp_credential("shop", "relay@example.jp", {}, {}));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(made->password, MatchesRegex("[0-9a-f]{32}"))
      << "no sign that a command line, a shell or a URL takes for its own";
  EXPECT_TRUE(opens(stored("relay@example.jp").secret, made->password));
  EXPECT_EQ(changes, before + 1) << "the engine hears of it";
  const auto other = run(operations.add_smtp_credential("shop", "other", {}, {}));
  EXPECT_NE(other->password, made->password);
  EXPECT_EQ(run(operations.add_smtp_credential("shop", "other", {}, {})).error().kind,
            ErrorKind::conflict);
  EXPECT_EQ(run(operations.add_smtp_credential("nobody", "new", {}, {})).error().kind,
            ErrorKind::not_found);
  const auto own =
      run(operations.add_smtp_credential("shop", "own", {}, SecretText("correct horse")));
  EXPECT_EQ(own->password, "") << "who chose it knows it";
  EXPECT_TRUE(opens(stored("own").secret, "correct horse"));
}

TEST_F(SmtpCredentialTest, HasTheTermsThatWereAskedFor) {
  ASSERT_EQ(problem({.traffic = "bulk",
                     .purpose = "notice",
                     .options = "tag, list-id",
                     .networks = "192.0.2.77/24",
                     .from_address = "shop@example.jp",
                     .days = 2,
                     .show_client = false,
                     .bounces = false,
                     .messages_per_minute = 60,
                     .connections_max = 4,
                     .uid = 1'000}),
            "");
  const auto settings = stored("relay").settings;
  EXPECT_EQ(settings.traffic, TrafficClass::bulk);
  EXPECT_EQ(settings.purpose, Purpose::notice);
  EXPECT_EQ(settings.options, 1U | 16U);
  EXPECT_THAT(settings.networks, testing::ElementsAre("192.0.2.0/24"));
  EXPECT_EQ(settings.expires, installation.clock.now() + std::chrono::days(2));
  EXPECT_FALSE(settings.show_client);
  EXPECT_FALSE(settings.bounces);
  EXPECT_EQ(settings.connections_max, 4);
  EXPECT_EQ(settings.uid, 1'000U);
  // What is not named stays, and what is named can be taken back.
  ASSERT_TRUE(run(operations.change_smtp_credential(
      "shop", "relay", {.traffic = "automatic", .networks = "", .days = 0, .uid = -1})));
  auto wanted = settings;
  wanted.traffic.reset();
  wanted.networks.clear();
  wanted.expires.reset();
  wanted.uid.reset();
  EXPECT_EQ(stored("relay").settings, wanted);
  const auto shown = run(operations.smtp_credential("shop", "relay"));
  EXPECT_THAT(shown->options, testing::ElementsAre("tag", "list-id"));
}

TEST_F(SmtpCredentialTest, RefusesWhatNobodyMeans) {
  EXPECT_THAT(problem({.traffic = "fast"}), HasSubstr("automatic, transactional or bulk"));
  EXPECT_THAT(problem({.purpose = "by_type"}), HasSubstr("automatic, advertisement"));
  EXPECT_THAT(problem({.options = "tag,all"}), HasSubstr("\"all\""));
  EXPECT_THAT(problem({.networks = "192.0.2.0/33"}), HasSubstr("192.0.2.0/33"));
  EXPECT_THAT(problem({.from_address = "shop"}), HasSubstr("from is not an address"));
  EXPECT_THAT(problem({.messages_per_minute = -1}), HasSubstr("messages_per_minute is -1"));
  EXPECT_THAT(problem({.connections_max = 100'001}), HasSubstr("connections_max is 100001"));
  EXPECT_THAT(problem({.uid = 4'294'967'295}), HasSubstr("uid is 4294967295"));
  EXPECT_THAT(problem({}, "eleven char"), HasSubstr("at least 12"));
  EXPECT_THAT(problem({}, std::string(1'025, 'x')), Not(SizeIs(0)));
  EXPECT_FALSE(run(operations.add_smtp_credential("shop", "a b", {}, {})));
}

TEST_F(SmtpCredentialTest, TheOldPasswordWorksUntilTheOverlapIsOver) {
  const auto made = run(operations.add_smtp_credential("shop", "relay", {}, {}));
  const auto fresh = run(operations.rotate_smtp_credential("shop", "relay", 24, {}));
  ASSERT_TRUE(fresh) << fresh.error().detail;
  auto kept = stored("relay");
  EXPECT_TRUE(opens(kept.secret, fresh->password));
  EXPECT_TRUE(opens(kept.previous_secret, made->password));
  EXPECT_EQ(kept.previous_until, installation.clock.now() + std::chrono::hours(24));
  EXPECT_EQ(ScramSecrets::parse(kept.secret)->salt, ScramSecrets::parse(kept.previous_secret)->salt)
      << "an exchange names one";
  // Once more would end what is promised; at once is what was asked for.
  EXPECT_EQ(run(operations.rotate_smtp_credential("shop", "relay", 1, {})).error().kind,
            ErrorKind::conflict);
  EXPECT_EQ(stored("relay").secret, kept.secret);
  ASSERT_TRUE(run(operations.rotate_smtp_credential("shop", "relay", 0, {})));
  kept = stored("relay");
  EXPECT_EQ(kept.previous_secret, "");
  EXPECT_FALSE(kept.previous_until);
}

TEST_F(SmtpCredentialTest, IsRevokedOnceAndForGood) {
  ASSERT_TRUE(run(operations.add_smtp_credential("shop", "relay", {.uid = 7}, {})));
  ASSERT_TRUE(run(operations.add_account({.name = "other"})));
  EXPECT_EQ(run(operations.revoke_smtp_credential("other", "relay")).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(run(operations.smtp_credential("other", "relay")).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(run(operations.revoke_smtp_credential("shop", "relay")));
  const auto at = stored("relay").revoked;
  installation.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(run(operations.revoke_smtp_credential("shop", "relay"))) << "again";
  EXPECT_EQ(stored("relay").revoked, at);
  EXPECT_EQ(run(operations.change_smtp_credential("shop", "relay", {})).error().kind,
            ErrorKind::conflict);
  EXPECT_EQ(run(operations.rotate_smtp_credential("shop", "relay", 0, {})).error().kind,
            ErrorKind::conflict);
  ASSERT_TRUE(run(operations.add_smtp_credential("shop", "next", {.uid = 7}, {})))
      << "its user is free";
  const auto page = run(operations.smtp_credentials("shop", "", 1));
  ASSERT_THAT(page->views, SizeIs(1));
  EXPECT_EQ(page->views[0].credential.name, "next");
  EXPECT_EQ(page->next, "next");
  EXPECT_THAT(run(operations.smtp_credentials("other", "", 10))->views, SizeIs(0));
}

TEST_F(SmtpCredentialTest, IsHeldAndReleasedByHand) {
  ASSERT_TRUE(run(operations.add_smtp_credential("shop", "relay", {}, {})));
  const int before = changes;
  const auto held = run(operations.hold_smtp_credential("shop", "relay", "a strange evening"));
  ASSERT_TRUE(held) << held.error().detail;
  EXPECT_EQ(held->credential.held, installation.clock.now());
  EXPECT_EQ(stored("relay").held_because, "a strange evening");
  EXPECT_EQ(changes, before + 1) << "the engine hears of it";
  ASSERT_TRUE(run(operations.hold_smtp_credential("shop", "relay", "something else")));
  EXPECT_EQ(stored("relay").held_because, "a strange evening") << "again: as it was";
  // What else is changed meanwhile ends no hold.
  ASSERT_TRUE(run(operations.change_smtp_credential("shop", "relay", {.days = 3})));
  ASSERT_TRUE(run(operations.revoke_smtp_credential("shop", "relay")));
  EXPECT_TRUE(stored("relay").held);
  const auto status = run(operations.status());
  ASSERT_THAT(status->held, SizeIs(1));
  EXPECT_EQ(status->held[0].account, "shop");
  EXPECT_EQ(status->held[0].because, "a strange evening");
  ASSERT_TRUE(run(operations.release_smtp_credential("shop", "relay")));
  EXPECT_FALSE(stored("relay").held);
  EXPECT_EQ(stored("relay").released, installation.clock.now());
  ASSERT_TRUE(run(operations.hold_smtp_credential("shop", "relay", "")));
  EXPECT_EQ(stored("relay").held_because, "it was held by hand");
  EXPECT_EQ(run(operations.hold_smtp_credential("shop", "nobody", "")).error().kind,
            ErrorKind::not_found);
}

TEST_F(SmtpCredentialTest, WhoGrantsOneMaySendAndIsInTheAudit) {
  const Granter reader{.asker = {.actor = "person 4 (b@example.jp)", .origin = "192.0.2.8"},
                       .holds = store::Scope::read | store::Scope::admin};
  Granter sender = reader;
  sender.holds = store::kScopesOfClients;
  EXPECT_EQ(run(operations.add_smtp_credential("shop", "relay", {}, {}, reader)).error().kind,
            ErrorKind::unauthorized);
  ASSERT_TRUE(run(operations.add_smtp_credential("shop", "relay", {}, {}, sender)));
  EXPECT_EQ(run(operations.rotate_smtp_credential("shop", "relay", 0, {}, reader)).error().kind,
            ErrorKind::unauthorized);
  ASSERT_TRUE(run(operations.rotate_smtp_credential("shop", "relay", 0, {}, sender)));
  ASSERT_TRUE(run(operations.hold_smtp_credential("shop", "relay", "")));
  ASSERT_TRUE(run(operations.release_smtp_credential("shop", "relay", sender)));
  ASSERT_TRUE(run(operations.revoke_smtp_credential("shop", "relay", reader)));
  EXPECT_EQ(run(operations.revoke_smtp_credential("other", "relay", reader)).error().kind,
            ErrorKind::not_found);
  std::vector<std::string> actions;
  for (const AuditLine& line : run(operations.audit({}))->lines) {
    EXPECT_EQ(line.entry.actor, reader.asker.actor);
    EXPECT_EQ(line.account, "shop");
    actions.push_back(line.entry.action);
  }
  EXPECT_THAT(actions,
              testing::ElementsAre("smtp_credential.add: relay", "smtp_credential.rotate: relay",
                                   "smtp_credential.release: relay", "smtp_credential.end: relay"));
}

struct FakeLockouts : Lockouts {
  std::vector<Lockout> list() override { return {{.network = "192.0.2.1/32", .name = "relay"}}; }
  std::int64_t unlock(const std::string& which) override { return which == "relay" ? 1 : 0; }
};

TEST_F(SmtpCredentialTest, LockoutsAreOfTheRelayOfThisProcess) {
  EXPECT_EQ(operations.lockouts().error().kind, ErrorKind::unsupported) << "there is none";
  EXPECT_EQ(operations.unlock("relay").error().kind, ErrorKind::unsupported);
  FakeLockouts relay;
  Operations here{*installation.store, installation.clock,
                  Operations::Options{.lockouts = [&relay] { return &relay; }}};
  EXPECT_THAT(here.lockouts().value(), SizeIs(1));
  EXPECT_EQ(here.unlock("relay").value(), 1);
  EXPECT_EQ(here.unlock("other").value(), 0);
}

TEST_F(SmtpCredentialTest, TellsWhoseDomainIsNotProven) {
  const auto first = run(operations.add_smtp_credential("shop", "relay", {}, {}));
  EXPECT_FALSE(first->has_domain);
  EXPECT_EQ(first->unproven_domain, "");
  ASSERT_TRUE(run(operations.add_domain({.account = "shop", .domain = "example.com"})));
  const auto next = run(operations.add_smtp_credential("shop", "next", {}, {}));
  EXPECT_FALSE(next->has_domain);
  EXPECT_EQ(next->unproven_domain, "example.com");
  ASSERT_TRUE(
      run(operations.add_domain({.account = "shop", .domain = "example.jp", .vouched = true})));
  EXPECT_TRUE(run(operations.add_smtp_credential("shop", "other", {}, {}))->has_domain);
}

TEST_F(SmtpCredentialTest, WhatAHeldOneHandedInIsDroppedByOrderAlone) {
  const auto made = run(operations.add_smtp_credential("shop", "relay", {}, {}));
  ASSERT_TRUE(run(operations.add_smtp_credential("shop", "other", {}, {})));
  const auto hand_in = [&](const std::string& whose) {
    store::Accept accept;
    accept.delivery.account = made->view.credential.account;
    accept.delivery.type = DeliveryType::smtp;
    accept.delivery.content.relayed = RelayedEnvelope{.credential = whose};
    accept.recipients = {{"a@example.com", "example.com", {}},
                         {"b@example.com", "example.com", {}}};
    accept.life_time = std::chrono::hours(1);
    return installation.store->perform_and_wait(std::move(accept)).value().delivery.key;
  };
  const std::vector<store::DeliveryKey> its = {hand_in("relay"), hand_in("relay")};
  const store::DeliveryKey others = hand_in("other");
  EXPECT_EQ(run(operations.drop_smtp_mail("shop", "relay", {})).error().kind, ErrorKind::conflict);
  const auto preview = [&](std::string since) {
    auto looked = run(
        operations.drop_smtp_mail("shop", "relay", {.preview = true, .since = std::move(since)}));
    EXPECT_TRUE(looked) << looked.error().detail;
    return looked.value_or(Cancelled());
  };
  const Cancelled seen = preview("");
  EXPECT_EQ(seen.deliveries, 2);
  EXPECT_EQ(seen.recipients, 4);
  ASSERT_THAT(seen.first, SizeIs(2));
  EXPECT_EQ(seen.first[0].accepted, installation.clock.now());
  EXPECT_EQ(seen.first[0].recipients, 2);
  EXPECT_EQ(preview(format_utc(installation.clock.now() + std::chrono::hours(1))).deliveries, 0);
  EXPECT_EQ(run(operations.drop_smtp_mail("shop", "relay", {.preview = true, .since = "noon"}))
                .error()
                .kind,
            ErrorKind::invalid_input);
  ASSERT_TRUE(run(operations.hold_smtp_credential("shop", "relay", "")));
  EXPECT_EQ(run(operations.drop_smtp_mail(
                    "shop", "relay",
                    {.since = format_utc(installation.clock.now() + std::chrono::hours(1))}))
                ->deliveries,
            0)
      << "all of it is older";
  const auto dropped = run(operations.drop_smtp_mail("shop", "relay", {}));
  ASSERT_TRUE(dropped) << dropped.error().detail;
  EXPECT_EQ(dropped->deliveries, 2);
  EXPECT_EQ(dropped->recipients, 4);
  EXPECT_FALSE(dropped->next);
  const auto status_of = [&](store::DeliveryKey key) {
    return installation.store
        ->read_and_wait([key](store::ReadTransaction& t) { return t.delivery_head(key); })
        .value()
        .status;
  };
  for (const store::DeliveryKey key : its) EXPECT_EQ(status_of(key), DeliveryStatus::sent);
  EXPECT_EQ(status_of(others), DeliveryStatus::sending);
  EXPECT_EQ(run(operations.drop_smtp_mail("shop", "relay", {}))->deliveries, 0) << "again";
}

}  // namespace
}  // namespace todoku::operate
