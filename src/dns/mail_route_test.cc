// SPDX-License-Identifier: Apache-2.0
#include "dns/mail_route.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "dns/fake_resolver.h"

namespace todoku::dns {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// Documentation addresses stand for public ones where the test is about something else.
RouteOptions anywhere() {
  return {.allow_private_receivers = true};
}

Task<void> find_into(FakeResolver& resolver, std::string domain, const RouteOptions& options,
                     std::optional<RouteAnswer>& answer) {
  answer = co_await find_route(resolver, std::move(domain), options);
}

RouteAnswer find(FakeResolver::Zone zone, std::string domain, RouteOptions options = anywhere()) {
  FakeResolver resolver(std::move(zone));
  std::optional<RouteAnswer> answer;
  async::run_to_completion(find_into(resolver, std::move(domain), options, answer));
  return *answer;
}

std::vector<std::string> host_names(const RouteAnswer& answer) {
  std::vector<std::string> names;
  if (!answer) return {"no route: " + answer.error().text()};
  for (const MailHost& host : answer->hosts) names.push_back(host.name);
  return names;
}

std::string verdict(const RouteAnswer& answer) {
  if (answer) return "routable";
  return (answer.error().permanent ? "permanent " : "temporary ") + answer.error().text();
}

// What a resolver that cannot be believed would make up, and what only the domain can have said.
TEST(FindRoute, SaysWhatRestsOnAbsence) {
  FakeResolver::Zone zone{
      .mx = {{"lame.example", {{1, "gone.example"}}},
             {"null.example", {{0, ""}}},
             {"inside.example", {{1, "mx.inside.example"}}},
             {"self.example", {{1, "mail.sender.example"}}},
             {"loop.example", {{1, "mx.loop.example"}}}},
      .a = {{"mx.inside.example", {"127.0.0.1"}}, {"mx.loop.example", {"198.51.100.1"}}},
      .txt = {{"text.example", {"x"}}}};
  RouteOptions options;
  options.own_names = {"mail.sender.example"};
  options.own_addresses = {*net::IpAddress::parse("198.51.100.1")};
  for (const char* domain : {"missing.example", "lame.example", "loop.example", "text.example"}) {
    const auto answer = find(zone, domain, options);
    EXPECT_TRUE(!answer && answer.error().permanent && answer.error().by_absence) << domain;
  }
  const auto inside = find(zone, "inside.example", options);
  ASSERT_FALSE(inside);
  EXPECT_FALSE(inside.error().permanent);
  EXPECT_EQ(inside.error().cause, Cause::unusable_mx);
  for (const char* domain : {"null.example", "self.example", "[192.0.2.1]"}) {
    const auto answer = find(zone, domain, options);
    EXPECT_TRUE(!answer && answer.error().permanent && !answer.error().by_absence) << domain;
  }
}

TEST(FindRoute, SaysTheCause) {
  const FakeResolver::Zone zone{.mx = {{"null.example", {{0, ""}}},
                                       {"loop.example", {{10, "mx.ourselves.example"}}},
                                       {"six.example", {{10, "mx.six.example"}}}},
                                .aaaa = {{"mx.six.example", {"2001:db8::1"}}}};
  const RouteOptions options{.allow_private_receivers = true,
                             .own_names = {"mx.ourselves.example"}};
  for (const auto& [domain, cause] :
       {std::pair{"gone.example", Cause::no_such_domain}, std::pair{"null.example", Cause::null_mx},
        std::pair{"loop.example", Cause::points_to_ourselves},
        std::pair{"[192.0.2.1]", Cause::no_route}}) {
    const auto route = find(zone, domain, options);
    ASSERT_FALSE(route) << domain;
    EXPECT_EQ(route.error().cause, cause) << domain;
  }
  const auto route = find(zone, "six.example", options);
  ASSERT_TRUE(route);
  EXPECT_EQ(no_common_family(*route, {.ipv4 = true, .ipv6 = false}).cause, Cause::ipv6_only);
}

TEST(FindRoute, OrdersHostsByPreference) {
  const auto route =
      find({.mx = {{"example.jp",
                    {{20, "backup.example.jp"}, {5, "z.example.jp"}, {5, "a.example.jp"}}}},
            .a = {{"backup.example.jp", {"192.0.2.3"}},
                  {"z.example.jp", {"192.0.2.2", "192.0.2.1"}},
                  {"a.example.jp", {"192.0.2.4"}}},
            .aaaa = {{"z.example.jp", {"2001:db8::1"}}}},
           "example.jp");
  EXPECT_THAT(host_names(route), ElementsAre("a.example.jp", "z.example.jp", "backup.example.jp"));
  EXPECT_THAT(route->hosts[1].addresses,
              ElementsAre(*net::IpAddress::parse("192.0.2.1"), *net::IpAddress::parse("192.0.2.2"),
                          *net::IpAddress::parse("2001:db8::1")));
  EXPECT_FALSE(route->implicit_mx);
}

TEST(FindRoute, UsesAHostOnceWithItsBestPreference) {
  const auto route = find({.mx = {{"example.jp", {{20, "mx.example.jp"}, {10, "mx.example.jp"}}}},
                           .a = {{"mx.example.jp", {"192.0.2.1"}}}},
                          "example.jp");
  EXPECT_THAT(host_names(route), ElementsAre("mx.example.jp"));
  EXPECT_EQ(route->hosts[0].preference, 10);
}

TEST(FindRoute, WithoutMxTheDomainItselfIsTheHost) {
  const auto route = find({.a = {{"example.jp", {"192.0.2.1"}}}}, "example.jp");
  EXPECT_THAT(host_names(route), ElementsAre("example.jp"));
  EXPECT_TRUE(route->implicit_mx);
  EXPECT_EQ(route->site, "example.jp");
}

TEST(FindRoute, ANullMxIsPermanent) {
  EXPECT_EQ(verdict(find({.mx = {{"example.jp", {{0, ""}}}}}, "example.jp")),
            "permanent 5.1.10 example.jp accepts no mail (null MX, RFC 7505)");
}

TEST(FindRoute, ANullMxBesideOthersIsIgnored) {
  const auto route = find({.mx = {{"example.jp", {{0, ""}, {10, "mx.example.jp"}}}},
                           .a = {{"mx.example.jp", {"192.0.2.1"}}}},
                          "example.jp");
  EXPECT_THAT(host_names(route), ElementsAre("mx.example.jp"));
}

TEST(FindRoute, FollowsCnamesOfDomainAndHost) {
  const auto route =
      find({.mx = {{"real.example.jp", {{10, "alias.example.jp"}}}},
            .a = {{"mx.example.jp", {"192.0.2.1"}}},
            .cname = {{"example.jp", "real.example.jp"}, {"alias.example.jp", "mx.example.jp"}}},
           "example.jp");
  EXPECT_THAT(host_names(route), ElementsAre("alias.example.jp"));
  EXPECT_EQ(route->domain, "example.jp");
}

TEST(FindRoute, ADomainThatDoesNotExistIsPermanent) {
  EXPECT_EQ(verdict(find({}, "example.jp")),
            "permanent 5.1.2 example.jp does not exist in the DNS");
}

TEST(FindRoute, ADomainWithoutMxAndAddressIsPermanent) {
  EXPECT_EQ(verdict(find({.txt = {{"example.jp", {"v=spf1 -all"}}}}, "example.jp")),
            "permanent 5.1.2 example.jp has neither a mail server (MX) nor an address");
}

TEST(FindRoute, AnAddressLiteralIsRefused) {
  EXPECT_THAT(verdict(find({}, "[192.0.2.1]")),
              HasSubstr("permanent 5.1.2 mail to an address literal such as [192.0.2.1]"));
}

TEST(FindRoute, AFailureOfTheMxLookUpIsTemporary) {
  for (const ErrorKind kind : {ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::corrupt}) {
    EXPECT_THAT(
        verdict(find({.a = {{"example.jp", {"192.0.2.1"}}}, .failures = {{"MX example.jp", kind}}},
                     "example.jp")),
        HasSubstr("temporary 4.4.3 the mail server (MX) of example.jp could not be"));
  }
}

TEST(FindRoute, WhatWeHadNoMeansToAskIsOurs) {
  for (const std::string question : {"MX example.jp", "A mx.example.jp"}) {
    for (const auto& [kind, ours] :
         {std::pair{ErrorKind::limit_exceeded, true}, std::pair{ErrorKind::unavailable, false}}) {
      const auto route = find({.mx = {{"example.jp", {{10, "mx.example.jp"}}}},
                               .aaaa = {{"other.mx.example.jp", {"2001:db8::1"}}},
                               .failures = {{question, kind}}},
                              "example.jp");
      ASSERT_FALSE(route) << question;
      EXPECT_FALSE(route.error().permanent);
      EXPECT_EQ(route.error().ours, ours) << question;
      EXPECT_EQ(route.error().cause, ours ? Cause::own_shortage : Cause::dns_failed) << question;
    }
  }
}

TEST(FindRoute, HostsThatAreNotLookedAtLeaveHope) {
  FakeResolver::Zone many;
  for (int i = 0; i < 200; ++i) {
    many.mx["example.jp"].push_back(
        {static_cast<std::uint16_t>(i), "mx" + std::to_string(i) + ".example.jp"});
  }
  const auto none = find(many, "example.jp");
  ASSERT_FALSE(none);
  EXPECT_FALSE(none.error().permanent) << none.error().reason;
  many.a["mx60.example.jp"] = {"192.0.2.1"};
  EXPECT_TRUE(find(many, "example.jp"));
}

TEST(FindRoute, HostsWithoutAddressArePermanentOnlyIfAllAnswersAreFinal) {
  const FakeResolver::Zone zone{
      .mx = {{"example.jp", {{10, "gone.example.jp"}, {20, "empty.example.jp"}}}},
      .txt = {{"empty.example.jp", {"x"}}}};
  EXPECT_EQ(verdict(find(zone, "example.jp")),
            "permanent 5.1.2 no mail server of example.jp has an address (gone.example.jp, "
            "empty.example.jp)");
  FakeResolver::Zone failing = zone;
  failing.failures = {{"AAAA empty.example.jp", ErrorKind::timeout}};
  EXPECT_THAT(verdict(find(failing, "example.jp")), HasSubstr("temporary 4.4.3"));
}

TEST(FindRoute, GoesOnWithTheHostsThatCanBeLookedUpButNotForLong) {
  const auto route = find({.mx = {{"example.jp", {{10, "a.example.jp"}, {20, "b.example.jp"}}}},
                           .a = {{"b.example.jp", {"192.0.2.1"}}},
                           .failures = {{"A a.example.jp", ErrorKind::unavailable}}},
                          "example.jp");
  EXPECT_THAT(host_names(route), ElementsAre("b.example.jp"));
  EXPECT_EQ(route->ttl, std::chrono::seconds(0));
}

TEST(FindRoute, LivesAsLongAsTheShortestRecord) {
  const auto route = find({.mx = {{"example.jp", {{10, "mx.example.jp"}}}},
                           .a = {{"mx.example.jp", {"192.0.2.1"}}},
                           .ttl = {{"example.jp", std::chrono::seconds(600)},
                                   {"mx.example.jp", std::chrono::seconds(90)}}},
                          "example.jp");
  EXPECT_EQ(route->ttl, std::chrono::seconds(90));
}

TEST(FindRoute, IsSecureOnlyAsFarAsValidated) {
  const auto route = find({.mx = {{"example.jp", {{10, "a.example.jp"}, {10, "b.example.jp"}}}},
                           .a = {{"a.example.jp", {"192.0.2.1"}}, {"b.example.jp", {"192.0.2.2"}}},
                           .secure = {"example.jp", "a.example.jp"}},
                          "example.jp");
  ASSERT_TRUE(route);
  EXPECT_TRUE(route->secure);
  EXPECT_TRUE(route->hosts[0].secure);
  EXPECT_FALSE(route->hosts[1].secure);
}

TEST(FindRoute, AnMxThatNamesAnAddressIsNotAHost) {
  EXPECT_EQ(verdict(find({.mx = {{"example.jp", {{10, "192.0.2.1"}, {20, "a\\032b.example.jp"}}}}},
                         "example.jp")),
            "temporary 4.4.4 the MX records of example.jp name no host (192.0.2.1, "
            "a\\032b.example.jp)");
  EXPECT_EQ(find({.mx = {{"example.jp", {{10, "192.0.2.1"}}}}}, "example.jp").error().cause,
            Cause::unusable_mx);
}

// ---- ourselves, and our inside -----------------------------------------------------------------

TEST(FindRoute, LeavesOutItselfAndAllBehindIt) {
  RouteOptions options = anywhere();
  options.own_names = {"us.example.com"};
  const FakeResolver::Zone zone{.mx = {{"example.jp",
                                        {{10, "first.example.jp"},
                                         {20, "us.example.com"},
                                         {20, "beside.example.jp"},
                                         {30, "behind.example.jp"}}}},
                                .a = {{"first.example.jp", {"192.0.2.1"}},
                                      {"beside.example.jp", {"192.0.2.2"}},
                                      {"behind.example.jp", {"192.0.2.3"}}}};
  EXPECT_THAT(host_names(find(zone, "example.jp", options)), ElementsAre("first.example.jp"));
  options.own_names = {"first.example.jp"};
  EXPECT_EQ(verdict(find(zone, "example.jp", options)),
            "permanent 5.4.6 the mail server of example.jp is this engine itself "
            "(first.example.jp), so the mail would loop");
}

TEST(FindRoute, KnowsItselfByItsAddressToo) {
  RouteOptions options = anywhere();
  options.own_addresses = {*net::IpAddress::parse("192.0.2.2")};
  const FakeResolver::Zone zone{
      .mx = {{"example.jp",
              {{10, "first.example.jp"}, {20, "alias.example.jp"}, {30, "z.example.jp"}}},
             {"loop.example", {{10, "alias.example.jp"}}}},
      .a = {{"first.example.jp", {"192.0.2.1"}},
            {"alias.example.jp", {"192.0.2.2"}},
            {"z.example.jp", {"192.0.2.3"}}}};
  EXPECT_THAT(host_names(find(zone, "example.jp", options)), ElementsAre("first.example.jp"));
  EXPECT_THAT(verdict(find(zone, "loop.example", options)),
              HasSubstr("permanent 5.4.6 the mail server of loop.example is this engine itself "
                        "(alias.example.jp 192.0.2.2)"));
}

TEST(FindRoute, LoopbackIsNotOurselvesWherePrivateReceiversAreAllowed) {
  RouteOptions options = anywhere();
  options.own_addresses = {*net::IpAddress::parse("127.0.0.1")};
  const FakeResolver::Zone zone{.a = {{"example.test", {"127.0.0.1"}}}};
  EXPECT_EQ(verdict(find(zone, "example.test", options)), "routable");
  options.allow_private_receivers = false;
  EXPECT_THAT(verdict(find(zone, "example.test", options)), HasSubstr("permanent 5.4.6"));
}

TEST(FindRoute, RefusesPrivateReceiversUnlessAllowed) {
  for (const std::string address : {"127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.0.1",
                                    "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1"}) {
    const FakeResolver::Zone zone{.mx = {{"example.jp", {{10, "mx.example.jp"}}}},
                                  .a = {{"mx.example.jp", {address}}}};
    EXPECT_EQ(verdict(find(zone, "example.jp", {})),
              "temporary 4.4.4 the mail server of example.jp has no public address "
              "(mx.example.jp " +
                  address +
                  "), and delivery to loopback and private addresses is "
                  "not allowed by allow_private_receivers");
    EXPECT_EQ(verdict(find(zone, "example.jp", anywhere())), "routable");
  }
  for (const std::string address : {"::1", "fd00::1", "fe80::1", "::ffff:127.0.0.1"}) {
    const FakeResolver::Zone zone{.aaaa = {{"example.jp", {address}}}};
    EXPECT_THAT(verdict(find(zone, "example.jp", {})), HasSubstr("temporary 4.4.4")) << address;
  }
}

TEST(FindRoute, NeverUsesUnspecifiedOrMulticastAddresses) {
  for (const std::string address : {"0.0.0.0", "224.0.0.1"}) {
    EXPECT_NE(verdict(find({.a = {{"example.jp", {address}}}}, "example.jp")), "routable");
  }
}

TEST(FindRoute, KeepsThePublicAddressesOfAMixedHost) {
  const auto route = find({.a = {{"example.jp", {"10.0.0.1", "11.22.33.44"}}}}, "example.jp", {});
  ASSERT_TRUE(route) << route.error().text();
  EXPECT_THAT(route->hosts[0].addresses, ElementsAre(*net::IpAddress::parse("11.22.33.44")));
}

TEST(FindRoute, BoundsWhatADomainCanMakeUsDo) {
  FakeResolver::Zone zone;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "mx" + std::to_string(i) + ".example.jp";
    zone.mx["example.jp"].push_back({static_cast<std::uint16_t>(i), name});
    for (int j = 0; j < 100; ++j) zone.a[name].push_back("192.0.2." + std::to_string(j));
  }
  const auto route = find(zone, "example.jp");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->hosts.size(), 100U);
  EXPECT_EQ(route->hosts[0].name, "mx0.example.jp");
  for (const MailHost& host : route->hosts) EXPECT_LE(host.addresses.size(), 20U);
}

// ---- sites -------------------------------------------------------------------------------------

TEST(FindRoute, TheRulesNameTheSiteByThePreferredHosts) {
  RouteOptions options = anywhere();
  options.site_naming = [](std::string_view domain,
                           std::span<const std::string_view> hosts) -> std::optional<std::string> {
    if (domain != "example.jp" || hosts.size() != 2) return std::nullopt;
    return "site of " + std::string(hosts[0]) + " and " + std::string(hosts[1]);
  };
  const FakeResolver::Zone zone{
      .mx = {{"example.jp", {{10, "b.test"}, {10, "a.test"}, {20, "c.test"}}},
             {"other.test", {{1, "a.test"}}}},
      .a = {{"a.test", {"192.0.2.1"}}, {"b.test", {"192.0.2.2"}}}};
  EXPECT_EQ(find(zone, "example.jp", options)->site, "site of a.test and b.test");
  EXPECT_EQ(find(zone, "other.test", options)->site, "a.test");
}

TEST(SiteOfHosts, IsReadableAndIndependentOfOrder) {
  EXPECT_EQ(site_of_hosts({"mx.example.jp"}), "mx.example.jp");
  EXPECT_EQ(site_of_hosts({"mx2.example.jp", "mx1.example.jp", "mx2.example.jp"}),
            "(mx1|mx2).example.jp");
  EXPECT_EQ(site_of_hosts({"a.in.example.jp", "b.example.jp"}), "(a.in|b).example.jp");
  EXPECT_EQ(site_of_hosts({"example.jp", "mx.example.jp"}), "(example|mx.example).jp");
  EXPECT_EQ(site_of_hosts({"mx.example.jp", "mx.example.com"}), "(mx.example.com|mx.example.jp)");
}

TEST(SiteOfHosts, LongNamesAreTheFirstHostTheNumberOfOthersAndAHash) {
  std::vector<std::string> hosts;
  for (int i = 0; i < 8; ++i)
    hosts.push_back("a-rather-long-name-" + std::to_string(i) + ".example.jp");
  const std::string name = site_of_hosts(hosts);
  EXPECT_THAT(name, testing::StartsWith("a-rather-long-name-0.example.jp+7~"));
  hosts.back() = "a-rather-long-name-9.example.jp";
  EXPECT_NE(site_of_hosts(hosts), name);
}

TEST(SiteOfHosts, ANameSaysWhoseItIs) {
  EXPECT_TRUE(names_host("mx.example.jp", "mx.example.jp"));
  EXPECT_FALSE(names_host("mx.example.jp", "x.example.jp"));
  EXPECT_FALSE(names_host("mx.example.jp", "mx.example"));
  EXPECT_FALSE(names_host("mx.example.jp", ""));
  for (const char* host : {"mx1.example.jp", "mx2.example.jp"}) {
    EXPECT_TRUE(names_host(site_of_hosts({"mx1.example.jp", "mx2.example.jp"}), host)) << host;
  }
  EXPECT_FALSE(names_host("(mx1|mx2).example.jp", "mx3.example.jp"));
  EXPECT_FALSE(names_host("(mx1|mx2).example.jp", "mx1.example.com"));
  EXPECT_FALSE(names_host("(mx1|mx2).example.jp", "example.jp"));
  EXPECT_TRUE(names_host("(mx.example.com|mx.example.jp)", "mx.example.com"));
  EXPECT_TRUE(names_host("mx1.example.jp+7~1b2c3d4e", "mx1.example.jp"));
  EXPECT_FALSE(names_host("mx1.example.jp+7~1b2c3d4e", "mx2.example.jp"));
  EXPECT_FALSE(names_host("", "mx1.example.jp"));
}

// ---- choosing ----------------------------------------------------------------------------------

MailRoute sample_route() {
  const auto ip = [](const char* text) { return *net::IpAddress::parse(text); };
  return {.domain = "example.jp",
          .hosts = {
              {.name = "a",
               .preference = 10,
               .addresses = {ip("192.0.2.1"), ip("192.0.2.2"), ip("2001:db8::1")}},
              {.name = "b", .preference = 10, .addresses = {ip("192.0.2.3")}},
              {.name = "c", .preference = 20, .addresses = {ip("2001:db8::4"), ip("192.0.2.4")}}}};
}

std::vector<std::string> order(Families families, Random& random) {
  std::vector<std::string> order;
  for (const Candidate& one : candidates(sample_route(), families, random)) {
    order.push_back(one.host + " " + one.address.to_string());
  }
  return order;
}

TEST(Candidates, KeepToThePreferencesAndTryEveryHostOnceFirst) {
  SeededRandom random(1);
  for (int i = 0; i < 50; ++i) {
    const auto tried = order({}, random);
    ASSERT_EQ(tried.size(), 6U);
    EXPECT_NE(tried[0].front(), tried[1].front());  // a and b
    EXPECT_EQ(tried[3], "a 2001:db8::1");           // IPv6 after IPv4
    EXPECT_THAT(std::vector(tried.begin() + 4, tried.end()),
                ElementsAre("c 192.0.2.4", "c 2001:db8::4"));
  }
}

TEST(Candidates, SpreadOverEqualHostsAndTheirAddresses) {
  SeededRandom random(2);
  std::map<std::string, int> first;
  constexpr int kTimes = 4'000;
  for (int i = 0; i < kTimes; ++i) ++first[order({}, random).front()];
  EXPECT_NEAR(first["b 192.0.2.3"], kTimes / 2, 200);
  EXPECT_NEAR(first["a 192.0.2.1"], kTimes / 4, 200);
  EXPECT_NEAR(first["a 192.0.2.2"], kTimes / 4, 200);
}

TEST(Candidates, AreOfTheSourcesFamilies) {
  SeededRandom random(3);
  EXPECT_THAT(order({.ipv4 = false, .ipv6 = true}, random),
              ElementsAre("a 2001:db8::1", "c 2001:db8::4"));
  EXPECT_THAT(order({.ipv4 = true, .ipv6 = false}, random),
              UnorderedElementsAre("a 192.0.2.1", "a 192.0.2.2", "b 192.0.2.3", "c 192.0.2.4"));
  const Unroutable none = no_common_family(sample_route(), {.ipv4 = true, .ipv6 = false});
  EXPECT_FALSE(none.permanent);
  EXPECT_EQ(none.text(),
            "4.4.4 example.jp can be reached by IPv6 only, which the egress source does not have");
}

// A smarthost: its own addresses, wherever it is, and none of what a domain's records say.
TEST(FindRoute, GoesToAHostThatIsNamedInsteadOfADomain) {
  const FakeResolver::Zone zone{.mx = {{"smtp.example.com", {{10, "mx.elsewhere.example"}}}},
                                .a = {{"smtp.example.com", {"127.0.0.1"}}}};
  RouteOptions options;
  options.own_names = {"smtp.example.com"};
  options.site_naming = [](std::string_view domain, std::span<const std::string_view>) {
    return std::optional<std::string>("site of " + std::string(domain));
  };
  const auto route = find(zone, "=smtp.example.com", options);
  EXPECT_THAT(host_names(route), ElementsAre("smtp.example.com"));
  EXPECT_EQ(route->site, "site of smtp.example.com");
  EXPECT_EQ(find({}, "=192.0.2.7")->hosts[0].addresses,
            std::vector{*net::IpAddress::parse("192.0.2.7")});
  EXPECT_THAT(verdict(find({}, "=gone.example.com")), HasSubstr("gone.example.com has neither"));
}

}  // namespace
}  // namespace todoku::dns
