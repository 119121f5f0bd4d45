// SPDX-License-Identifier: Apache-2.0
#include "dns/ask_server.h"

#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/fake_resolver.h"

namespace todoku::dns {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

struct NameServersTest : testing::Test {
  std::map<std::string, std::vector<std::string>> zones;  // the names of their servers
  std::map<std::string, ErrorKind> failures;
  std::vector<std::string> asked;
  FakeResolver resolver;

  Result<ZoneServers> find(std::string domain) {
    boost::asio::io_context context;
    Result<ZoneServers> found = fail(ErrorKind::unavailable, "it did not end");
    const AskNameServers ask = [this](std::string zone) { return answer(std::move(zone)); };
    boost::asio::co_spawn(context, find_zone_servers(resolver, ask, std::move(domain), 53),
                          [&found](const std::exception_ptr& thrown, Result<ZoneServers> value) {
                            if (thrown) std::rethrow_exception(thrown);
                            found = std::move(value);
                          });
    context.run();
    return found;
  }

  Task<Result<Answer<std::string>>> answer(std::string zone) {
    asked.push_back(zone);
    const auto failure = failures.find(zone);
    if (failure != failures.end()) co_return fail(failure->second, "SERVFAIL");
    const auto found = zones.find(zone);
    if (found == zones.end()) co_return fail(ErrorKind::not_found, zone + " does not exist");
    co_return Answer<std::string>{.records = found->second, .ttl = {}, .secure = false};
  }
};

TEST_F(NameServersTest, TheNearestZoneAboveIsAsked) {
  zones = {{"example.jp", {"ns2.example.net", "ns1.example.net"}}, {"news.example.jp", {}}};
  resolver.set_zone(
      {.a = {{"ns1.example.net", {"192.0.2.1"}}}, .aaaa = {{"ns1.example.net", {"2001:db8::1"}}}});
  const auto found = find("a.news.example.jp");
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_THAT(asked, ElementsAre("a.news.example.jp", "news.example.jp", "example.jp"));
  EXPECT_EQ(found->zone, "example.jp");
  ASSERT_THAT(found->servers, SizeIs(1));
  EXPECT_EQ(found->servers[0].name, "ns1.example.net");
  EXPECT_EQ(found->servers[0].at.to_string(), "192.0.2.1:53") << "IPv6 where there is nothing else";
  EXPECT_THAT(found->without_address, ElementsAre("ns2.example.net"));
}

TEST_F(NameServersTest, NobodyIsAskedAboutATopLevelDomain) {
  const auto found = find("example.jp");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::not_found);
  EXPECT_THAT(asked, ElementsAre("example.jp"));
}

TEST_F(NameServersTest, AResolverThatFailsProvesNothing) {
  zones = {{"example.jp", {"ns1.example.net"}}};
  failures = {{"news.example.jp", ErrorKind::unavailable}};
  EXPECT_EQ(find("news.example.jp").error().kind, ErrorKind::unavailable);
}

TEST_F(NameServersTest, ANameWithoutServersThatIsThereProvesNothing) {
  zones = {{"example.jp", {}}, {"news.example.jp", {}}, {"co.jp", {}}};
  EXPECT_EQ(find("example.jp").error().kind, ErrorKind::unavailable);
  EXPECT_EQ(find("news.example.jp").error().kind, ErrorKind::unavailable);
  EXPECT_EQ(find("exmaple.co.jp").error().kind, ErrorKind::not_found) << "co.jp is no zone";
}

TEST_F(NameServersTest, ServersAndAddressesAreBounded) {
  FakeResolver::Zone zone;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "ns" + std::to_string(100 + i) + ".example.net";
    zones["example.jp"].push_back(name);
    for (int j = 0; j < 9; ++j) zone.a[name].push_back("192.0.2." + std::to_string(j + 1));
  }
  resolver.set_zone(zone);
  EXPECT_THAT(find("example.jp")->servers, SizeIs(kZoneServersMax * kServerAddressesMax));
}

}  // namespace
}  // namespace todoku::dns
