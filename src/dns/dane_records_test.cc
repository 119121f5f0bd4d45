// SPDX-License-Identifier: Apache-2.0
#include "dns/dane_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "dns/fake_resolver.h"

namespace todoku::dns {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kRecords = "_25._tcp.mx.example.jp";

TlsaRecord record(std::uint8_t usage, char name = 'a') {
  return {usage, 1, 1, std::string(32, name)};
}

// A domain with one host and its records, all of it signed.
FakeResolver::Zone signed_zone(std::vector<TlsaRecord> records = {record(3)}) {
  FakeResolver::Zone zone{.mx = {{"example.jp", {{10, "mx.example.jp"}}}},
                          .a = {{"mx.example.jp", {"192.0.2.1"}}},
                          .secure = {"example.jp", "mx.example.jp", kRecords}};
  if (!records.empty()) zone.tlsa[kRecords] = std::move(records);
  return zone;
}

Task<void> find_into(FakeResolver& resolver, const RouteOptions& options,
                     std::optional<RouteAnswer>& answer) {
  answer = co_await find_route(resolver, "example.jp", options);
}

RouteAnswer route_of(FakeResolver& resolver, bool wanted = true) {
  RouteOptions options{.allow_private_receivers = true};
  options.wants_dane = [wanted](std::string_view site) {
    return wanted && site == "mx.example.jp";
  };
  std::optional<RouteAnswer> answer;
  async::run_to_completion(find_into(resolver, options, answer));
  return *answer;
}

HostDane dane_in(FakeResolver::Zone zone) {
  FakeResolver resolver(std::move(zone));
  const RouteAnswer route = route_of(resolver);
  EXPECT_TRUE(route) << route.error().text();
  return route ? route->hosts.at(0).dane : HostDane{};
}

TEST(DaneRecords, AreFoundWithTheRoute) {
  const HostDane dane = dane_in(signed_zone({record(3), record(0)}));
  EXPECT_EQ(dane.demand, DaneDemand::proof);
  EXPECT_EQ(dane.base, "mx.example.jp");
  EXPECT_THAT(dane.records, ElementsAre(record(3)));
  EXPECT_THAT(dane.other_names, IsEmpty()) << "DANE-EE does not look at names";
}

TEST(DaneRecords, OfAuthoritiesGoWithTheNamesThatWillDo) {
  EXPECT_THAT(dane_in(signed_zone({record(2)})).other_names, ElementsAre("example.jp"));
}

TEST(DaneRecords, ThatCannotBeUsedDemandEncryption) {
  const HostDane dane = dane_in(signed_zone({record(1)}));
  EXPECT_EQ(dane.demand, DaneDemand::encryption);
  EXPECT_THAT(dane.records, IsEmpty());
}

TEST(DaneRecords, AreNotAskedForWhereNothingIsProven) {
  for (const char* unproven : {"example.jp", "mx.example.jp"}) {
    auto zone = signed_zone();
    zone.secure.erase(unproven);
    FakeResolver resolver(zone);
    EXPECT_EQ(route_of(resolver)->hosts.at(0).dane, HostDane{}) << unproven;
    EXPECT_EQ(resolver.asked(std::string("TLSA ") + kRecords), 0) << unproven;
  }
}

TEST(DaneRecords, AreNotAskedForWhereTheyAreNotWanted) {
  FakeResolver resolver(signed_zone());
  EXPECT_EQ(route_of(resolver, false)->hosts.at(0).dane, HostDane{});
  EXPECT_EQ(resolver.asked(std::string("TLSA ") + kRecords), 0);
}

TEST(DaneRecords, ThatAreNotProvenOrNotThereDemandNothing) {
  auto unproven = signed_zone();
  unproven.secure.erase(kRecords);
  EXPECT_EQ(dane_in(unproven).demand, DaneDemand::nothing);
  EXPECT_EQ(dane_in(signed_zone({})).demand, DaneDemand::nothing);
}

// RFC 7672 section 2.1.2: whoever could make a look-up fail would else be rid of them.
TEST(DaneRecords, WithoutAnAnswerKeepTheHostFromBeingUsed) {
  for (const ErrorKind failure : {ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::corrupt}) {
    auto zone = signed_zone();
    zone.failures = {{std::string("TLSA ") + kRecords, failure}};
    FakeResolver resolver(zone);
    const RouteAnswer route = route_of(resolver);
    ASSERT_TRUE(route);
    EXPECT_EQ(route->hosts.at(0).dane.demand, DaneDemand::not_answered);
    EXPECT_EQ(route->hosts.at(0).dane.reason,
              "the TLSA records (DANE) of mx.example.jp could not be looked up: TLSA "
              "_25._tcp.mx.example.jp fails");
    EXPECT_EQ(route->ttl.count(), 0) << "it is asked again soon";
  }
}

TEST(DaneRecords, WeCouldNotAskForAreOurShortage) {
  auto zone = signed_zone();
  zone.failures = {{std::string("TLSA ") + kRecords, ErrorKind::limit_exceeded}};
  FakeResolver resolver(zone);
  const RouteAnswer route = route_of(resolver);
  ASSERT_FALSE(route);
  EXPECT_TRUE(route.error().ours);
  EXPECT_FALSE(route.error().permanent);
  EXPECT_EQ(route.error().cause, Cause::own_shortage);
}

// Holding back the answer for one family must not talk us out of DANE.
TEST(DaneRecords, AreAskedForWhereOneFamilyIsProven) {
  auto zone = signed_zone();
  zone.failures = {{"AAAA mx.example.jp", ErrorKind::unavailable}};
  EXPECT_EQ(dane_in(zone).demand, DaneDemand::proof);
}

// RFC 7672 section 2.2.3.
TEST(DaneRecords, OfAnAliasStandUnderWhatItIsAnAliasOfFirst) {
  auto zone = signed_zone();
  zone.a = {{"host.example.com", {"192.0.2.1"}}};
  zone.cname = {{"mx.example.jp", "host.example.com"}};
  zone.secure.insert({"host.example.com", "_25._tcp.host.example.com"});
  EXPECT_EQ(dane_in(zone).base, "mx.example.jp") << "there are none elsewhere";
  zone.tlsa["_25._tcp.host.example.com"] = {record(2, 'b')};
  const HostDane dane = dane_in(zone);
  EXPECT_EQ(dane.base, "host.example.com");
  EXPECT_THAT(dane.records, ElementsAre(record(2, 'b')));
  zone.failures = {{"TLSA _25._tcp.host.example.com", ErrorKind::timeout}};
  EXPECT_EQ(dane_in(zone).demand, DaneDemand::not_answered);
}

// RFC 7671 section 7: many hosts may share records by aliases, all of which must be proven.
TEST(DaneRecords, MayStandElsewhereThemselves) {
  auto zone = signed_zone({});
  zone.cname = {{kRecords, "shared.example.com"}};
  zone.tlsa = {{"shared.example.com", {record(3, 'c')}}};
  EXPECT_EQ(dane_in(zone).demand, DaneDemand::nothing) << "their end is not proven";
  zone.secure.insert("shared.example.com");
  EXPECT_THAT(dane_in(zone).records, ElementsAre(record(3, 'c')));
  EXPECT_EQ(dane_in(zone).base, "mx.example.jp");
}

// RFC 7672 section 2.1.3: the alias stands in signed DNS, its addresses do not.
FakeResolver::Zone leading_out() {
  auto zone = signed_zone();
  zone.a = {{"host.example.com", {"192.0.2.1"}}};
  zone.cname = {{"mx.example.jp", "host.example.com"}};
  // Of nobody's concern: what is said there is not proven, whatever it looks like.
  zone.tlsa["_25._tcp.host.example.com"] = {record(2, 'b')};
  zone.secure.insert("_25._tcp.host.example.com");
  return zone;
}

TEST(DaneRecords, OfAnAliasThatLeadsOutOfSignedDnsStandUnderItsOwnName) {
  FakeResolver resolver(leading_out());
  const RouteAnswer route = route_of(resolver);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->hosts.at(0).dane.demand, DaneDemand::proof);
  EXPECT_EQ(route->hosts.at(0).dane.base, "mx.example.jp");
  EXPECT_THAT(route->hosts.at(0).dane.records, ElementsAre(record(3)));
  EXPECT_EQ(resolver.asked("TLSA _25._tcp.host.example.com"), 0);
}

TEST(DaneRecords, OfAnAliasThatIsNotProvenItselfAreNotAskedFor) {
  auto zone = leading_out();
  zone.secure.erase("mx.example.jp");
  FakeResolver resolver(std::move(zone));
  EXPECT_EQ(route_of(resolver)->hosts.at(0).dane, HostDane{});
  EXPECT_EQ(resolver.asked("CNAME mx.example.jp"), 1);
  EXPECT_EQ(resolver.asked(std::string("TLSA ") + kRecords), 0);
}

TEST(DaneRecords, OnlyHostsThatLeadOutAreAskedForTheirAlias) {
  FakeResolver resolver(signed_zone());
  EXPECT_EQ(route_of(resolver)->hosts.at(0).dane.demand, DaneDemand::proof);
  EXPECT_EQ(resolver.asked("CNAME mx.example.jp"), 0);
}

TEST(DaneRecords, OfAnAliasThatNobodyTellsOfKeepTheHostFromBeingUsed) {
  for (const ErrorKind failure : {ErrorKind::unavailable, ErrorKind::timeout}) {
    auto zone = leading_out();
    zone.failures = {{"CNAME mx.example.jp", failure}};
    FakeResolver resolver(std::move(zone));
    const RouteAnswer route = route_of(resolver);
    ASSERT_TRUE(route);
    EXPECT_EQ(route->hosts.at(0).dane.demand, DaneDemand::not_answered);
    EXPECT_THAT(route->hosts.at(0).dane.reason, HasSubstr("CNAME mx.example.jp fails"));
    EXPECT_EQ(route->ttl.count(), 0) << "it is asked again soon";
  }
}

TEST(DaneRecords, OfAnAliasThatWeCouldNotAskForAreOurShortage) {
  auto zone = leading_out();
  zone.failures = {{"CNAME mx.example.jp", ErrorKind::limit_exceeded}};
  FakeResolver resolver(std::move(zone));
  const RouteAnswer route = route_of(resolver);
  ASSERT_FALSE(route);
  EXPECT_EQ(route.error().cause, Cause::own_shortage);
}

TEST(DaneRecords, OfADomainThatIsItsOwnHostCount) {
  FakeResolver resolver({.a = {{"example.jp", {"192.0.2.1"}}},
                         .tlsa = {{"_25._tcp.example.jp", {record(2)}}},
                         .secure = {"example.jp", "_25._tcp.example.jp"}});
  RouteOptions options{.allow_private_receivers = true};
  options.wants_dane = [](std::string_view) { return true; };
  std::optional<RouteAnswer> answer;
  async::run_to_completion(find_into(resolver, options, answer));
  ASSERT_TRUE(*answer);
  EXPECT_TRUE((*answer)->implicit_mx);
  EXPECT_EQ((*answer)->hosts.at(0).dane.demand, DaneDemand::proof);
  EXPECT_THAT((*answer)->hosts.at(0).dane.other_names, IsEmpty()) << "it is the same name";
}

TEST(DaneRecords, AreKnownForNoLongerThanTheirTtl) {
  auto zone = signed_zone();
  zone.ttl = {{kRecords, std::chrono::seconds(77)}};
  FakeResolver resolver(zone);
  EXPECT_EQ(route_of(resolver)->ttl.count(), 77);
}

}  // namespace
}  // namespace todoku::dns
