// SPDX-License-Identifier: Apache-2.0
// Lanes to hosts that have TLSA records (RFC 7672): mail goes under the certificate that they name,
// or waits.
#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"
#include "net/test_certificates.h"

namespace todoku::delivery::egress {
namespace {

const std::vector<std::string> kWithTls = {"STARTTLS", "PIPELINING"};

struct DaneWorld {
  explicit DaneWorld(std::vector<std::string> offers = kWithTls)
      : world(none, 8, "220 mx.example.jp ESMTP\r\n", std::move(offers)) {}

  void demand(DaneDemand demand, std::vector<TlsaRecord> records = {}) {
    world.dane = {.demand = demand, .base = "mx.example.jp", .records = std::move(records)};
  }
  // What became of all mails alike.
  ShakyRecorder::Told send() {
    world.send();
    world.tidy_until_all_is_told();
    world.drain();
    const auto told = world.recorder.told();
    EXPECT_EQ(told.size(), kMails);
    if (told.empty()) return {};
    for (const auto& [address, one] : told) {
      EXPECT_EQ(one.outcome.state, told.begin()->second.outcome.state) << address;
      EXPECT_EQ(one.outcome.cause, told.begin()->second.outcome.cause) << address;
    }
    return told.begin()->second;
  }

  Fault none;
  LaneTestWorld world;
};

TEST(LaneDane, MailGoesUnderTheCertificateThatTheRecordsName) {
  DaneWorld it;
  it.demand(DaneDemand::proof, {net::names_key(3, it.world.certificate())});
  const auto told = it.send();
  EXPECT_EQ(told.outcome.state, RecipientState::delivered);
  EXPECT_EQ(told.path.tls, TlsUse::verified);
  EXPECT_EQ(told.path.tls_detail, "TLSv1.3 TLS_AES_256_GCM_SHA384 (DANE)");
}

TEST(LaneDane, MailWaitsWhereAnotherCertificateIsShown) {
  DaneWorld it;
  it.demand(DaneDemand::proof, {{3, 1, 1, std::string(32, 'x')}});
  const auto told = it.send();
  EXPECT_EQ(told.outcome.state, RecipientState::deferred);
  EXPECT_EQ(told.outcome.stage, Stage::starttls);
  EXPECT_EQ(told.outcome.cause, Cause::dane_failed);
  EXPECT_TRUE(told.outcome.is_attempt);
  EXPECT_EQ(told.outcome.reply.text,
            "the receiver's certificate is not one that its TLSA records (DANE) name");
  EXPECT_TRUE(it.world.taken().empty());
}

TEST(LaneDane, MailWaitsWhereTlsIsNotOffered) {
  DaneWorld it({"PIPELINING"});
  it.demand(DaneDemand::encryption);
  const auto told = it.send();
  EXPECT_EQ(told.outcome.state, RecipientState::deferred);
  EXPECT_EQ(told.outcome.cause, Cause::dane_failed);
  EXPECT_TRUE(it.world.taken().empty());
}

TEST(LaneDane, RecordsThatCannotBeUsedTakeAnyCertificate) {
  DaneWorld it;
  it.demand(DaneDemand::encryption);
  const auto told = it.send();
  EXPECT_EQ(told.outcome.state, RecipientState::delivered);
  EXPECT_EQ(told.path.tls, TlsUse::unverified);
  EXPECT_EQ(told.path.tls_detail,
            "TLSv1.3 TLS_AES_256_GCM_SHA384 (self-signed certificate; its TLSA records cannot be "
            "used)");
}

TEST(LaneDane, AHostWhoseRecordsNobodyTellsIsNotConnectedTo) {
  DaneWorld it;
  it.world.dane = {.demand = DaneDemand::not_answered, .reason = "no answer about mx.example.jp"};
  const auto told = it.send();
  EXPECT_EQ(told.outcome.state, RecipientState::deferred);
  EXPECT_EQ(told.outcome.stage, Stage::dns);
  EXPECT_EQ(told.outcome.cause, Cause::tlsa_not_answered);
  EXPECT_EQ(told.outcome.reply.text, "4.4.3 no answer about mx.example.jp");
  EXPECT_EQ(told.path.mx_host, "mx.example.jp");
  EXPECT_EQ(it.world.metrics.counter("d", "").value(), 0U) << "dials";
}

TEST(LaneDane, AHostThatWasDialledTellsMoreThanOneThatMayNotBe) {
  DaneWorld it;
  const dns::HostDane unanswered{.demand = DaneDemand::not_answered, .reason = "no answer"};
  it.world.dane_of_first_dead = it.world.dane = unanswered;
  it.world.send_past_dead_hosts(2);
  it.world.tidy_until_all_is_told();
  it.world.drain();
  int tried = 0;
  for (const auto& [address, told] : it.world.recorder.told()) {
    if (told.parked) continue;
    ++tried;
    EXPECT_EQ(told.outcome.cause, Cause::unreachable) << address;
    EXPECT_EQ(told.path.mx_host, "dead2.example.jp") << address;
  }
  EXPECT_GE(tried, 1);
  EXPECT_GT(it.world.feedback.count.load(), 0) << "the site rests";
}

// Of two domains with the same hosts only one may be proven by DNSSEC.
TEST(RouteKey, IsOfHostsAndTheirProtection) {
  dns::MailRoute route{.domain = "example.jp", .hosts = {{.name = "mx1"}, {.name = "mx2"}}};
  EXPECT_EQ(route_key(route), "mx1,mx2");
  dns::HostDane& dane = route.hosts[0].dane;
  dane.demand = DaneDemand::encryption;
  EXPECT_EQ(route_key(route), "mx1/tls,mx2");
  dane.demand = DaneDemand::not_answered;
  EXPECT_EQ(route_key(route), "mx1/tlsa?,mx2");
  dane.demand = DaneDemand::proof;
  EXPECT_EQ(route_key(route), "mx1/dane,mx2");
  dane.other_names = {"example.jp"};
  EXPECT_EQ(route_key(route), "mx1/dane=example.jp,mx2");
}

}  // namespace
}  // namespace todoku::delivery::egress
